/** A network's file opened without a server: glassnet's own, or of `glassnet export --to safetensors`. */

import type { FileNeuron, ModelFile, TensorInfo } from "../network/model_file.ts";
import type { Network } from "../network/network.ts";
import { readHeader, readNetwork, type TensorEntry } from "../network/safetensors.ts";

/** A longer row comes in pieces, as from the server. */
const MOST_WEIGHTS = 65536;

const product = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);

/** Rejects for any other file, with what this page reads and the command that reads the file. */
export async function openNetworkFile(file: File): Promise<ModelFile> {
  let network: Network;
  try {
    network = await readNetwork(file);
  } catch (problem) {
    const why = problem instanceof SyntaxError ? "its description is not JSON" : (problem as Error).message;
    throw new Error(
      `${file.name} cannot be read on the offline page: ${why}. The offline page reads networks that glassnet saved or exported as safetensors. help: glassnet open ${file.name}`,
    );
  }
  const { tensors } = await readHeader(file);
  const { sizes, activations } = network.architecture;
  return {
    name: file.name,
    kind: "safetensors",
    total: tensors.reduce((total, { shape }) => total + product(shape), 0),
    bytes: tensors.reduce((bytes, { from, to }) => bytes + to - from, 0),
    tensors: tensors.map(infoOf),
    notes: [],
    chain: { sizes: [...sizes], activations: [...activations] },
    neuron: (tensor, index, start = 0) => neuronOf(file, tensors, tensor, index, start),
    network: async () => network,
  };
}

const infoOf = ({ name, shape, dtype, from, to }: TensorEntry): TensorInfo => ({
  name,
  shape,
  dtype,
  count: product(shape),
  bytes: to - from,
  neurons: shape.length > 1 ? shape[0] : 1,
});

async function neuronOf(
  file: File,
  tensors: readonly TensorEntry[],
  name: string,
  index: number,
  start: number,
): Promise<FileNeuron> {
  const entry = tensors.find((tensor) => tensor.name === name);
  if (!entry) throw new Error(`${file.name} holds no tensor ${name}`);
  const { neurons, count } = infoOf(entry);
  if (index < 0 || index >= neurons) throw new Error(`${name} has rows 0 to ${neurons - 1}, not ${index}`);
  const fanIn = count / neurons;
  const row = await valuesOf(file, entry, index * fanIn, fanIn);
  const biases = tensors.find((tensor) => tensor.name === name.replace(/weight$/, "bias"));
  const bias = biases && biases !== entry ? (await valuesOf(file, biases, index, 1))[0] : null;
  const weights = Float32Array.from(row.subarray(start, start + MOST_WEIGHTS));
  return { tensor: name, index, fanIn, bias, start, weights, ...statistics(row) };
}

/** Of the whole row, as the server's: of those weights that are finite. */
function statistics(row: Float64Array): Pick<FileNeuron, "mean" | "std" | "min" | "max"> {
  const finite = row.filter(Number.isFinite);
  if (finite.length === 0) return { mean: null, std: null, min: null, max: null };
  const mean = finite.reduce((sum, w) => sum + w, 0) / finite.length;
  return {
    mean,
    std: Math.sqrt(finite.reduce((sum, w) => sum + (w - mean) ** 2, 0) / finite.length),
    min: finite.reduce((a, b) => Math.min(a, b)),
    max: finite.reduce((a, b) => Math.max(a, b)),
  };
}

/** `count` values of a float32 or float64 tensor from the `first` on. */
async function valuesOf(file: File, entry: TensorEntry, first: number, count: number): Promise<Float64Array> {
  const width = entry.dtype === "F64" ? 8 : 4;
  const from = entry.from + first * width;
  const bytes = await file.slice(from, from + count * width).arrayBuffer();
  return Float64Array.from(width === 8 ? new Float64Array(bytes) : new Float32Array(bytes));
}
