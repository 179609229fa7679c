/** The state of the page as the part of a link after #, and back. Fields as in any query, so that one can read most of it:
 *
 *     view=compare & focus=0:3 & network=digits-sigmoid & digit=17 & hide=train,knobs & ...
 *
 * A network or an input that does not come along with the page is packed: gzip, then base64. */

import { fromBase64Url, gunzip, gzip, toBase64Url } from "../data/bytes.ts";
import { exampleOf, type Input } from "../data/dataset.ts";
import { SQUISHES, type Squish } from "../core/names.ts";
import { Architecture } from "../network/architecture.ts";
import { difference, withDifference } from "../network/difference.ts";
import { addressText, Network, type Address } from "../network/network.ts";
import { readNetwork, writeNetwork } from "../network/safetensors.ts";
import { isVariation } from "../network/perturbations.ts";
import type { Start } from "../host/types.ts";
import type { Side } from "./comparison.svelte.ts";
import { isControl, type Lesson } from "./lesson.svelte.ts";
import { lookAt } from "./choose_network.ts";
import type { View, Workspace } from "./workspace.svelte.ts";

/** Characters. Longer links are cut by mail programs and chats. */
export const MOST_LINK = 100_000;
const MOST_READ = 1_000_000;
const MOST_WORDS = 300;

const VIEWS: readonly View[] = ["look", "compare", "count"];
const pack = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => toBase64Url(await gzip(bytes));
async function unpack(text: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await gunzip(fromBase64Url(text));
  } catch {
    throw new Error("a part of it was cut off or changed");
  }
}

/** The link's part after #.
 *
 * `comesAlong` says of which networks the name is enough. `complete`: nothing is left to the data set, of which whoever
 * opens it may have a part only. */
export async function linkOf(
  workspace: Workspace,
  lesson: Lesson,
  { comesAlong, complete = false }: { comesAlong: (name: string) => boolean; complete?: boolean },
): Promise<string> {
  const { view, focus, name, network, original, input, data, comparison } = workspace;
  const link = new URLSearchParams();
  if (view !== "look") link.set("view", view);
  if (focus) link.set("focus", addressText(focus));
  link.set("network", name);
  if (!comesAlong(name)) link.set("numbers", await pack(writeNetwork(original)));
  if (network !== original) {
    link.set("changes", await pack(difference(original, network)));
    link.set("squishes", network.architecture.activations.join(","));
    link.set("what", workspace.edits.done.map(({ what }) => what).join("; ").slice(0, MOST_WORDS)); // prettier-ignore
  }
  if (input.index !== undefined && data && input.from.startsWith(data.name) && !complete)
    link.set("example", String(input.index));
  else {
    link.set("input", await pack(inputBytes(input.values)));
    link.set("from", input.from);
    if (input.label !== undefined) link.set("label", String(input.label));
  }
  if (view === "compare") {
    link.set("left", sideText(comparison.left));
    link.set("right", sideText(comparison.right));
    const { kind, strength, seed } = comparison.variation;
    link.set("variation", [kind, strength, seed].join(","));
  }
  if (lesson.text) link.set("lesson", lesson.text);
  if (lesson.hidden.length > 0) link.set("hide", lesson.hidden.join(","));
  if (lesson.locked) link.set("locked", "1");
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
    hidden: (link.get("hide") ?? "").split(",").filter(isControl),
    locked: link.get("locked") === "1",
  };
}

/** Brings the page into a link's state. What cannot be read is left as it was, and told: a sentence for each. */
export async function restore(workspace: Workspace, start: Start, text: string): Promise<string[]> {
  if (text.length > MOST_READ) return ["The link is too long to be one of this page; it was not read."];
  const link = new URLSearchParams(text);
  const problems: string[] = [];
  const attempt = async (name: string, read: (value: string) => Promise<void> | void): Promise<void> => {
    const value = link.get(name);
    if (value === null) return;
    try {
      await read(value);
    } catch (problem) {
      problems.push(`The link could not be read as a whole: ${(problem as Error).message}.`);
    }
  };
  await attempt("network", (name) => restoreNetwork(workspace, start, name, link.get("numbers")));
  if (problems.length > 0) return problems; // the rest is about that network
  await attempt("changes", async (packed) => {
    const network = changed(workspace.network, await unpack(packed), link.get("squishes"));
    workspace.change(network, link.get("what") ?? "changes that came with the link");
  });
  await attempt("example", (index) => {
    workspace.input = example(workspace, Number(index));
  });
  await attempt("input", async (packed) => {
    const values = inputValues(await unpack(packed), workspace.network.architecture.sizes[0]);
    const label = link.has("label") ? Number(link.get("label")) : undefined;
    const input: Input = { values, from: link.get("from") ?? "from the link" };
    workspace.input = label === undefined ? input : { ...input, label };
  });
  await attempt("variation", (told) => {
    const [kind, strength, seed] = told.split(",");
    if (!isVariation(kind) || !(Number(strength) >= 0) || !Number.isSafeInteger(Number(seed)))
      throw new Error("its variation is none");
    workspace.comparison.variation = { kind, strength: Number(strength), seed: Number(seed) };
  });
  await attempt("left", (side) => workspace.comparison.choose("left", sideOf(workspace, side)));
  await attempt("right", (side) => workspace.comparison.choose("right", sideOf(workspace, side)));
  await attempt("focus", (address) => workspace.look(addressOf(workspace.network, address)));
  await attempt("view", (view) => {
    if (!VIEWS.includes(view as View)) throw new Error(`it names a view ${view}, which there is not`);
    workspace.view = view as View;
  });
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

function changed(network: Network, bytes: Uint8Array<ArrayBuffer>, squishes: string | null): Network {
  const { sizes, activations } = network.architecture;
  const named = (squishes?.split(",") ?? activations) as readonly Squish[];
  if (!named.every((name) => SQUISHES.includes(name))) throw new Error("it names a squish that there is not");
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
