/** Where the page gets what it shows: from the server it was opened by, or from inside its own file. */

import type { Dataset } from "../data/dataset.ts";
import type { Network } from "../network/network.ts";
import { offlineHost } from "./offline.ts";
import { servedHost } from "./served.ts";

export interface NamedNetwork {
  readonly name: string;
  readonly from: "example" | "opened" | "yours";
  /** The examples that were at hand where it was made, if that was on the page. */
  readonly data?: Dataset | null;
  load(): Promise<Network>;
}

export interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly count: number;
  readonly bytes: number;
}

/** A row of a tensor in a file: one neuron's weights (from `start`; a long row comes in pieces). */
export interface FileNeuron {
  readonly tensor: string;
  readonly index: number;
  readonly fanIn: number;
  readonly bias: number | null;
  readonly start: number;
  readonly weights: Float32Array;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
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

export interface Start {
  readonly version: string;
  readonly networks: readonly NamedNetwork[];
  readonly files: readonly { name: string; open(): Promise<ModelFile> }[];
  /** The part of a link after #, which a single file may carry. */
  readonly state: string | null;
  /** A sample of a table that a single file may carry. */
  readonly table: Dataset | null;
}

/** All failures are `Error`s whose message can be shown as it is. */
export interface Host {
  readonly offline: boolean;
  start(): Promise<Start>;
  /** null where there are none (a single file brings a sample of the test digits at most). */
  digits(part: "train" | "test"): Promise<Dataset | null>;
  /** A file dropped on the page. Safetensors are read right here, other formats by the server. */
  open(file: File): Promise<ModelFile>;
  /** The single file without its payload. */
  template(): Promise<string>;
}

/** A page with nothing in its data block came from the server; one with data is a file of its own, wherever it lies. */
const payload = globalThis.document?.getElementById("payload")?.textContent.trim();

export const host: Host = payload && payload !== "null" ? offlineHost() : servedHost();
