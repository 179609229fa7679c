/** A safetensors file of any size, looked into right here: its header, and of its values only the row that is asked for. */

import type { FileNeuron, ModelFile } from "../host/host.ts";
import { readHeader, readNetwork, type TensorEntry } from "./safetensors.ts";

/** Rows longer than this come in pieces. */
const MOST_WEIGHTS = 65536;

/** Told by content: a header's length, then JSON. */
export async function isSafetensors(file: Blob): Promise<boolean> {
  const start = new Uint8Array(await file.slice(0, 9).arrayBuffer());
  return start.length === 9 && start[8] === 0x7b && start[6] === 0 && start[7] === 0;
}

const product = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);

export async function openSafetensors(file: File): Promise<ModelFile> {
  const { tensors, metadata } = await readHeader(file).catch((problem: Error) => {
    throw new Error(`${file.name} cannot be read: ${problem.message}`);
  });
  const named = new Map(tensors.map((entry) => [entry.name, entry]));
  const described = metadata.glassnet
    ? (JSON.parse(metadata.glassnet) as { kind?: string; sizes: number[]; activations: string[] })
    : null;
  return {
    name: file.name,
    kind: "safetensors",
    total: tensors.reduce((total, { shape }) => total + product(shape), 0),
    bytes: file.size,
    tensors: tensors.map(({ name, shape, dtype, from, to }) => ({
      name,
      shape,
      dtype,
      count: product(shape),
      bytes: to - from,
    })),
    notes: [],
    chain: described?.kind === "network" ? { sizes: described.sizes, activations: described.activations } : null,
    neuron: (tensor, index, start = 0) => neuronOf(file, named, tensor, index, start),
    network: () => readNetwork(file),
  };
}

async function neuronOf(
  file: File,
  tensors: ReadonlyMap<string, TensorEntry>,
  name: string,
  index: number,
  start: number,
): Promise<FileNeuron> {
  const entry = tensors.get(name);
  if (!entry) throw new Error(`${file.name} holds no tensor ${name}`);
  const rows = entry.shape.length > 1 ? entry.shape[0] : 1;
  if (index < 0 || index >= rows) throw new Error(`${name} has rows 0 to ${rows - 1}, not ${index}`);
  const fanIn = product(entry.shape) / rows;
  const weights = await valuesOf(file, entry, index * fanIn + start, Math.min(fanIn - start, MOST_WEIGHTS));
  const biases = tensors.get(name.replace(/weight$/, "bias"));
  const fits = biases && biases !== entry && biases.shape.length === 1 && biases.shape[0] === rows;
  const bias = fits ? (await valuesOf(file, biases, index, 1))[0] : null;
  const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
  return {
    tensor: name,
    index,
    fanIn,
    bias,
    start,
    weights,
    mean,
    std: Math.sqrt(weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length),
    min: weights.reduce((a, b) => Math.min(a, b), Infinity),
    max: weights.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

/** `count` values of a tensor from the `first` on. */
async function valuesOf(file: File, entry: TensorEntry, first: number, count: number): Promise<Float32Array> {
  const width = (entry.to - entry.from) / product(entry.shape);
  const from = entry.from + first * width;
  const view = new DataView(await file.slice(from, from + count * width).arrayBuffer());
  const read = READERS[entry.dtype];
  if (!read) throw new Error(`${entry.name} is stored as ${entry.dtype}, which the page does not read`);
  return Float32Array.from({ length: count }, (_, i) => read(view, i * width));
}

const bits = new DataView(new ArrayBuffer(4));
function bfloat16(view: DataView, at: number): number {
  bits.setUint32(0, view.getUint16(at, true) << 16);
  return bits.getFloat32(0);
}

/** Half a float: 1 sign bit, 5 of exponent, 10 of mantissa (IEEE 754). */
function float16(view: DataView, at: number): number {
  const half = view.getUint16(at, true);
  const [exponent, mantissa] = [(half >> 10) & 31, half & 1023];
  const size =
    exponent === 31
      ? mantissa
        ? NaN
        : Infinity
      : exponent
        ? 2 ** (exponent - 15) * (1 + mantissa / 1024)
        : 2 ** -24 * mantissa;
  return half & 0x8000 ? -size : size;
}

const READERS: Record<string, (view: DataView, at: number) => number> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  F16: float16,
  BF16: bfloat16,
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => view.getUint8(at),
};
