/** The tensors of a file as a tree: names split at dots, counts that add up at each branch. Thousands of them stay fast:
 * what is closed is not walked, and of what is open only the rows in sight are drawn. */

import type { TensorInfo } from "../../network/model_file.ts";

export interface Node {
  /** The last part of the name; several joined where there is nothing to choose between them. */
  readonly label: string;
  /** The whole name up to here. */
  readonly path: string;
  readonly count: number;
  readonly bytes: number;
  readonly children: readonly Node[];
  /** At the end of a branch. */
  readonly tensor: TensorInfo | null;
}

/** One line of the tree as it is seen. */
export interface Row {
  readonly node: Node;
  /** From 1, as `aria-level`. */
  readonly level: number;
  readonly open: boolean;
  /** Among its siblings, from 1. */
  readonly position: number;
  readonly siblings: number;
}

interface Branch {
  readonly children: Map<string, Branch>;
  tensor: TensorInfo | null;
}

export function treeOf(tensors: readonly TensorInfo[]): readonly Node[] {
  const root: Branch = { children: new Map(), tensor: null };
  for (const tensor of tensors) {
    let at = root;
    for (const part of tensor.name.split(".")) {
      let next = at.children.get(part);
      if (!next) at.children.set(part, (next = { children: new Map(), tensor: null }));
      at = next;
    }
    at.tensor = tensor;
  }
  return [...root.children].map(([label, branch]) => nodeOf(label, label, branch));
}

function nodeOf(label: string, path: string, branch: Branch): Node {
  const [only, more] = [...branch.children];
  if (only && !more && !branch.tensor) return nodeOf(`${label}.${only[0]}`, `${path}.${only[0]}`, only[1]);
  const children = inOrder([...branch.children]).map(([name, child]) => nodeOf(name, `${path}.${name}`, child));
  const add = (of: "count" | "bytes"): number =>
    children.reduce((sum, child) => sum + child[of], branch.tensor?.[of] ?? 0);
  return { label, path, count: add("count"), bytes: add("bytes"), children, tensor: branch.tensor };
}

/** Numbered parts by their numbers (files often have 10 before 2), others as the file has them. */
function inOrder<T>(parts: [string, T][]): [string, T][] {
  return parts.every(([name]) => /^\d+$/.test(name)) ? parts.sort(([a], [b]) => Number(a) - Number(b)) : parts;
}

/** What is seen with these branches open, from top to bottom. */
export function rowsOf(nodes: readonly Node[], open: ReadonlySet<string>, level = 1): Row[] {
  return nodes.flatMap((node, i) => {
    const isOpen = node.children.length > 0 && open.has(node.path);
    const row = { node, level, open: isOpen, position: i + 1, siblings: nodes.length };
    return isOpen ? [row, ...rowsOf(node.children, open, level + 1)] : [row];
  });
}

/** Where a key leads from a row, as in any tree: a place, or a branch to open or close. */
export function stepOf(rows: readonly Row[], at: number, key: string): { to?: number; toggle?: Node } | null {
  const row = rows[at];
  const last = rows.length - 1;
  switch (key) {
    case "ArrowDown":
      return { to: Math.min(last, at + 1) };
    case "ArrowUp":
      return { to: Math.max(0, at - 1) };
    case "Home":
      return { to: 0 };
    case "End":
      return { to: last };
    case "PageDown":
      return { to: Math.min(last, at + 10) };
    case "PageUp":
      return { to: Math.max(0, at - 10) };
    case "ArrowRight":
      if (row.open) return { to: at + 1 };
      return row.node.children.length > 0 ? { toggle: row.node } : null;
    case "ArrowLeft": {
      if (row.open) return { toggle: row.node };
      const parent = rows.slice(0, at).findLastIndex(({ level }) => level < row.level);
      return parent < 0 ? null : { to: parent };
    }
    default:
      return null;
  }
}
