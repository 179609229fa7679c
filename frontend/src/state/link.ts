/** The state of the page as the part of a link after #, and back. Fields as in any query, so that one can read most of it:
 *
 *     view=compare & focus=0:3 & network=digits-sigmoid & digit=17 & hide=train,knobs & ...
 *
 * A network or an input that does not come along with the page is packed: gzip, then base64. */

import { fromBase64Url, gunzip, gzip, toBase64Url } from "../data/bytes.ts";
import { exampleOf, type Input } from "../data/dataset.ts";
import { activationOf, type Squish } from "../core/names.ts";
import { Architecture } from "../network/architecture.ts";
import { difference, withDifference } from "../network/difference.ts";
import { addressText, Network, type Address } from "../network/network.ts";
import { readNetwork, writeNetwork } from "../network/safetensors.ts";
import { isVariation } from "../network/perturbations.ts";
import type { Start } from "../host/types.ts";
import type { Side } from "./comparison.svelte.ts";
import type { Lesson } from "./lesson.svelte.ts";
import { lookAt } from "./choose_network.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** Characters. Longer links are cut by mail programs and chats. */
export const MOST_LINK = 100_000;
const MOST_READ = 1_000_000;
const MOST_WORDS = 300;

const pack = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => toBase64Url(await gzip(bytes));
async function unpack(text: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await gunzip(fromBase64Url(text));
  } catch {
    throw new Error("a part of it was cut off or changed");
  }
}

/** What a link is made from. */
interface Sent {
  readonly workspace: Workspace;
  readonly lesson: Lesson;
  /** Of which networks the name is enough. */
  readonly comesAlong: (name: string) => boolean;
  /** Nothing is left to the data set, of which whoever opens the link may have a part only. */
  readonly complete: boolean;
}

/** Where a link is read into, and the other fields of it. */
interface Received {
  readonly workspace: Workspace;
  readonly start: Start;
  readonly link: URLSearchParams;
}

/** One field of a link: what is written (null: the field is left out) and how it is read. A field without `read` is read
 * with another one, or before all others (the lesson). */
interface Field {
  readonly name: string;
  write(sent: Sent): string | null | Promise<string | null>;
  read?(value: string, received: Received): void | Promise<void>;
}

const ofData = ({ workspace: { input, data }, complete }: Sent): boolean =>
  input.index !== undefined && data !== null && input.from.startsWith(data.name) && !complete;
const changes = ({ workspace: { network, original } }: Sent): boolean => network !== original;
const compares = ({ workspace }: Sent): boolean => workspace.view === "compare";

/** All that links and lessons carry, in the order in which it is read. */
const FIELDS: readonly Field[] = [
  {
    name: "network",
    write: ({ workspace }) => workspace.name,
    read: (name, { workspace, start, link }) => restoreNetwork(workspace, start, name, link.get("numbers")),
  },
  {
    name: "numbers",
    write: ({ workspace, comesAlong }) => (comesAlong(workspace.name) ? null : pack(writeNetwork(workspace.original))),
  },
  {
    name: "changes",
    write: (sent) => (changes(sent) ? pack(difference(sent.workspace.original, sent.workspace.network)) : null),
    async read(packed, { workspace, link }) {
      const network = changed(workspace.network, await unpack(packed), link.get("activations"));
      workspace.change(network, link.get("what") ?? "changes that came with the link");
    },
  },
  {
    name: "activations",
    write: (sent) => (changes(sent) ? sent.workspace.network.architecture.activations.join(",") : null),
  },
  {
    name: "what",
    write: (sent) =>
      changes(sent)
        ? sent.workspace.edits.done
            .map(({ what }) => what)
            .join("; ")
            .slice(0, MOST_WORDS)
        : null,
  },
  {
    name: "example",
    write: (sent) => (ofData(sent) ? String(sent.workspace.input.index) : null),
    read(index, { workspace }) {
      workspace.input = example(workspace, Number(index));
    },
  },
  {
    name: "input",
    write: (sent) => (ofData(sent) ? null : pack(inputBytes(sent.workspace.input.values))),
    async read(packed, { workspace, link }) {
      const values = inputValues(await unpack(packed), workspace.network.architecture.sizes[0]);
      const label = link.has("label") ? Number(link.get("label")) : undefined;
      const input: Input = { values, from: link.get("from") ?? "from the link" };
      workspace.input = label === undefined ? input : { ...input, label };
    },
  },
  { name: "from", write: (sent) => (ofData(sent) ? null : sent.workspace.input.from) },
  {
    name: "label",
    write: (sent) => (ofData(sent) ? null : (sent.workspace.input.label?.toString() ?? null)),
  },
  {
    name: "variation",
    write(sent) {
      const { kind, strength, seed } = sent.workspace.comparison.variation;
      return compares(sent) ? [kind, strength, seed].join(",") : null;
    },
    read(text, { workspace }) {
      const [kind, strength, seed] = text.split(",");
      if (!isVariation(kind) || !(Number(strength) >= 0) || !Number.isSafeInteger(Number(seed)))
        throw new Error("its variation is none");
      workspace.comparison.variation = { kind, strength: Number(strength), seed: Number(seed) };
    },
  },
  ...(["left", "right"] as const).map((side): Field => ({
    name: side,
    write: (sent) => (compares(sent) ? sideText(sent.workspace.comparison[side]) : null),
    read: (text, { workspace }) => workspace.comparison.choose(side, sideOf(workspace, text)),
  })),
  {
    name: "focus",
    write: ({ workspace }) => (workspace.focus ? addressText(workspace.focus) : null),
    read: (address, { workspace }) => workspace.look(addressOf(workspace.network, address)),
  },
  {
    name: "view",
    write: ({ workspace }) => (workspace.view === "look" ? null : workspace.view),
    read(view, { workspace }) {
      if (!workspace.views.includes(view)) throw new Error(`it names a view ${view}, which there is not`);
      workspace.view = view;
    },
  },
  { name: "lesson", write: ({ lesson }) => lesson.text || null },
  { name: "hide", write: ({ lesson }) => lesson.hidden.join(",") || null },
  { name: "locked", write: ({ lesson }) => (lesson.locked ? "1" : null) },
];

/** The link's part after #. */
export async function linkOf(
  workspace: Workspace,
  lesson: Lesson,
  { comesAlong, complete = false }: { comesAlong: (name: string) => boolean; complete?: boolean },
): Promise<string> {
  const link = new URLSearchParams();
  for (const { name, write } of FIELDS) {
    const value = await write({ workspace, lesson, comesAlong, complete });
    if (value !== null) link.set(name, value);
  }
  return link.toString();
}

const sideText = (side: Side): string => (typeof side === "string" ? side : `=${side.name}`);

/** Grey values that come from bytes are sent as bytes, others as floats; the first byte says which. */
function inputBytes(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(values, (value) => Math.round(255 * value));
  const same = values.every((value, i) => value === Math.fround(bytes[i] * Math.fround(1 / 255)));
  return Uint8Array.from(same ? [1, ...bytes] : [4, ...new Uint8Array(values.slice().buffer)]);
}

function inputValues(bytes: Uint8Array<ArrayBuffer>, count: number): Float32Array {
  if (![1, 4].includes(bytes[0]) || bytes.length !== 1 + bytes[0] * count)
    throw new Error("its input does not fit the network");
  if (bytes[0] === 4) return new Float32Array(bytes.slice(1).buffer);
  return Float32Array.from(bytes.subarray(1), (byte) => byte * Math.fround(1 / 255));
}

/** The lesson in a link: known before anything else is read. */
export function lessonOf(text: string): Lesson {
  const link = new URLSearchParams(text);
  return {
    text: link.get("lesson") ?? "",
    hidden: (link.get("hide") ?? "").split(",").filter(Boolean),
    locked: link.get("locked") === "1",
  };
}

/** Brings the page into a link's state. What cannot be read is left as it was, and told: a sentence for each. */
export async function restore(workspace: Workspace, start: Start, text: string): Promise<string[]> {
  if (text.length > MOST_READ) return ["The link is too long to be one of this page; it was not read."];
  const link = new URLSearchParams(text);
  const problems: string[] = [];
  for (const { name, read } of FIELDS) {
    const value = link.get(name);
    if (value === null || !read) continue;
    try {
      await read(value, { workspace, start, link });
    } catch (problem) {
      problems.push(`The link could not be read as a whole: ${(problem as Error).message}.`);
      if (name === "network") break; // the rest is about that network
    }
  }
  return problems;
}

async function restoreNetwork(workspace: Workspace, start: Start, name: string, packed: string | null): Promise<void> {
  if (packed) {
    const network = await readNetwork(new Blob([await unpack(packed)])).catch((problem: Error) => {
      throw new Error(`the network in it, ${problem.message}`);
    });
    return lookAt(workspace, start, network, workspace.add(name, network, "opened").name);
  }
  const found = workspace.networks.find((each) => each.name === name);
  if (!found) throw new Error(`it is about a network ${name}, which is not here`);
  await lookAt(workspace, start, await found.load(), name, found.data);
}

function changed(network: Network, bytes: Uint8Array<ArrayBuffer>, given: string | null): Network {
  const { sizes, activations } = network.architecture;
  const named = given?.split(",").map(activationOf) ?? activations;
  if (!named.every((squish): squish is Squish => squish !== undefined))
    throw new Error("it names a squish that there is not");
  return new Network(new Architecture(sizes, named), withDifference(network, bytes), network.schema);
}

function example({ data, network }: Workspace, index: number): Input {
  if (!data || data.width !== network.architecture.sizes[0] || !(index >= 0 && index < data.inputs.count))
    throw new Error(`it is about example ${index}, which is not here`);
  return exampleOf(data, index);
}

function addressOf(network: Network, text: string): Address {
  const [layer, neuron] = text.split(":").map(Number);
  if (!(neuron >= 0 && neuron < network.architecture.places[layer]?.fanOut))
    throw new Error(`there is no neuron ${text}`);
  return { layer, neuron };
}

function sideOf(workspace: Workspace, text: string): Side {
  if (text === "now" || text === "original" || text === "variation") return text;
  const found = workspace.networks.find((each) => `=${each.name}` === text);
  if (!found) throw new Error(`it compares with a network ${text.slice(1)}, which is not here`);
  return found;
}
