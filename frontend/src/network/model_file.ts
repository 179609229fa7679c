/** What the page can ask of a model file, of any size and format, without loading it. */

import type { Network } from "./network.ts";

export interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly count: number;
  readonly bytes: number;
  /** How many neurons can be read one by one: the rows or the columns of a matrix, 1 for a vector. */
  readonly neurons: number;
}

/** One neuron of a tensor. `weights` begin at `start`, since a long row comes in pieces; the statistics are of all of them. */
export interface FileNeuron {
  readonly tensor: string;
  readonly index: number;
  readonly fanIn: number;
  readonly bias: number | null;
  readonly start: number;
  readonly weights: Float32Array;
  /** Null where no weight is finite. */
  readonly mean: number | null;
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** A model file of any size and format, looked into without loading it. */
export interface ModelFile {
  readonly name: string;
  readonly kind: string;
  readonly total: number;
  readonly bytes: number;
  readonly tensors: readonly TensorInfo[];
  readonly notes: readonly string[];
  /** The chain of dense layers in it, if there is one that can be run. */
  readonly chain: { sizes: number[]; activations: string[] | null } | null;
  neuron(tensor: string, index: number, start?: number): Promise<FileNeuron>;
  network(activation?: string): Promise<Network>;
}
