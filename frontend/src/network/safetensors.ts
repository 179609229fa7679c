/** Safetensors, read and written: eight bytes of length, a header in JSON, the tensors' bytes. A network is written as
 * glassnet's Python does (tensors `layers.0.weight`, `layers.0.bias`; its description in the metadata). */

import type { Squish } from "../core/names.ts";
import { Architecture } from "./architecture.ts";
import { Network, type Schema } from "./network.ts";

const MOST_HEADER = 16 * 2 ** 20;

export interface TensorEntry {
  name: string;
  dtype: string;
  shape: number[];
  /** Where its bytes lie in the file. */
  from: number;
  to: number;
}
export interface Header {
  tensors: TensorEntry[];
  metadata: Record<string, string>;
}

const DTYPE_BYTES: Record<string, number> = {
  F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1,
  F8_E4M3: 1, F8_E5M2: 1,
}; // prettier-ignore

/** What a file holds, without its values. Throws an `Error` that says what is wrong with it. */
export async function readHeader(file: Blob): Promise<Header> {
  if (file.size < 10) throw new Error("it is too short for a safetensors file");
  const start = new DataView(await file.slice(0, 8).arrayBuffer());
  const length = Number(start.getBigUint64(0, true));
  if (length > MOST_HEADER || length > file.size - 8) throw new Error("it is no safetensors file");
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  try {
    header = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(await file.slice(8, 8 + length).arrayBuffer()),
    );
  } catch {
    throw new Error("it is no safetensors file: its header is no JSON");
  }
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, never>;
  const tensors = Object.entries(entries).map(([name, entry]) => checked(name, entry, 8 + length, file.size));
  return { tensors: tensors.sort((a, b) => a.from - b.from), metadata };
}

function checked(name: string, entry: unknown, base: number, size: number): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const whole = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((value) => Number.isSafeInteger(value) && value >= 0);
  if (typeof dtype !== "string" || !whole(shape) || !whole(offsets) || offsets.length !== 2)
    throw new Error(`its header tells nothing of tensor ${name}`);
  const [from, to] = offsets.map((offset) => base + offset);
  const bytes = DTYPE_BYTES[dtype];
  const wanted = bytes && shape.reduce((product, n) => product * n, bytes);
  if (from > to || to > size || (wanted !== undefined && wanted !== to - from))
    throw new Error(`it is cut short or damaged: tensor ${name} does not fit into it`);
  return { name, dtype, shape, from, to };
}

/** The network in a file of glassnet's own, or of `glassnet export --to safetensors` (float32 or float64). */
export async function readNetwork(file: Blob): Promise<Network> {
  const header = await readHeader(file);
  const { architecture, schema, names } = describedIn(header);
  const parameters = new Float32Array(architecture.total);
  for (const [layer, { fanIn, fanOut, start, biases }] of architecture.places.entries())
    for (const [name, at, shape] of [
      [names[layer].weight, start, [fanOut, fanIn]],
      [names[layer].bias, biases, [fanOut]],
    ] as const) {
      const entry = header.tensors.find((tensor) => tensor.name === name);
      if (!entry || String(entry.shape) !== String(shape) || !["F32", "F64"].includes(entry.dtype))
        throw new Error(`its ${name} does not fit its description`);
      const bytes = await file.slice(entry.from, entry.to).arrayBuffer();
      parameters.set(entry.dtype === "F32" ? new Float32Array(bytes) : new Float64Array(bytes), at);
    }
  return new Network(architecture, parameters, schema);
}

interface Described {
  readonly architecture: Architecture;
  readonly schema: Schema;
  /** The tensors of each layer. */
  readonly names: readonly { weight: string; bias: string }[];
}

function describedIn({ tensors, metadata }: Header): Described {
  if (metadata.glassnet) {
    const { kind, sizes, activations, schema } = JSON.parse(metadata.glassnet) as Description;
    if (kind !== "network") throw new Error(`it holds a ${kind}, not a network`);
    const architecture = new Architecture(sizes, activations);
    return { architecture, schema: schema ?? {}, names: activations.map((_, layer) => named(`layers.${layer}`)) };
  }
  if (!metadata["glassnet.activations"]) throw new Error("it holds tensors, but no network that glassnet wrote");
  // Exported: the names of PyTorch's Sequential, which counts the activation functions between the layers too.
  const activations = JSON.parse(metadata["glassnet.activations"]) as Squish[];
  const names = tensors
    .flatMap(({ name }) => /^(\d+)\.weight$/.exec(name)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b))
    .map(named);
  const shapes = names.map(({ weight }) => tensors.find(({ name }) => name === weight)!.shape);
  if (shapes.length !== activations.length || shapes.some((shape) => shape.length !== 2))
    throw new Error("its tensors do not fit its activations");
  const architecture = new Architecture([shapes[0][1], ...shapes.map(([fanOut]) => fanOut)], activations);
  return { architecture, schema: JSON.parse(metadata["glassnet.schema"] ?? "{}") as Schema, names };
}

const named = (prefix: string): { weight: string; bias: string } => ({
  weight: `${prefix}.weight`,
  bias: `${prefix}.bias`,
});

interface Description {
  version: number;
  kind: string;
  sizes: number[];
  activations: Squish[];
  schema?: Schema;
}

/** The network as glassnet's own file. */
export function writeNetwork(network: Network): Uint8Array<ArrayBuffer> {
  const { architecture, parameters, schema } = network;
  const description: Description = {
    version: 1,
    kind: "network",
    sizes: [...architecture.sizes],
    activations: [...architecture.activations],
    schema,
  };
  const header: Record<string, unknown> = { __metadata__: { glassnet: JSON.stringify(description) } };
  architecture.places.forEach(({ fanIn, fanOut, start, biases, stop }, layer) => {
    header[`layers.${layer}.weight`] = { dtype: "F32", shape: [fanOut, fanIn], data_offsets: [4 * start, 4 * biases] };
    header[`layers.${layer}.bias`] = { dtype: "F32", shape: [fanOut], data_offsets: [4 * biases, 4 * stop] };
  });
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8; // spaces after it, so that the numbers are aligned
  const file = new Uint8Array(8 + length + parameters.byteLength).fill(0x20);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  file.set(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength), 8 + length);
  return file;
}
