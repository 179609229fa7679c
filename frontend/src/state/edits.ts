/** What was changed by hand: steps that can be undone and done again. Networks are values, so a step is two of them. */

import type { Network } from "../network/network.ts";

export interface Edit {
  /** "bias of 0:3: −0.87 → 1.2" */
  readonly what: string;
  /** Changes of one knob while it is dragged share a key and become one step. */
  readonly key: string | null;
  readonly before: Network;
  readonly after: Network;
}

export interface Edits {
  readonly done: readonly Edit[];
  readonly undone: readonly Edit[];
}

export const NO_EDITS: Edits = { done: [], undone: [] };

export function withEdit({ done }: Edits, edit: Edit): Edits {
  const last = done.at(-1);
  const goesOn = edit.key !== null && last?.key === edit.key;
  return { done: goesOn ? [...done.slice(0, -1), { ...edit, before: last.before }] : [...done, edit], undone: [] };
}

/** The knob was let go of: the next change is a step of its own, whatever its key. */
export function settled({ done, undone }: Edits): Edits {
  const last = done.at(-1);
  return last?.key == null ? { done, undone } : { done: [...done.slice(0, -1), { ...last, key: null }], undone };
}

export function undone({ done, undone }: Edits): Edits {
  const last = done.at(-1);
  return last ? { done: done.slice(0, -1), undone: [last, ...undone] } : { done, undone };
}

export function redone({ done, undone }: Edits): Edits {
  const [next, ...rest] = undone;
  return next ? { done: [...done, next], undone: rest } : { done, undone };
}

/** The steps that still count: those since the network last was as it came. */
export const standing = ({ done }: Edits, original: Network): readonly Edit[] =>
  done.slice(done.findLastIndex(({ after }) => after === original) + 1);
