/** What the page and the worker that compares networks send each other. */

import type { Squish } from "../core/names.ts";
import type { Matching } from "./compare_networks.ts";
import type { Examination, Examples } from "./evaluation.ts";

/** A network as it is sent. */
export interface PlainNetwork {
  readonly sizes: readonly number[];
  readonly activations: readonly Squish[];
  readonly parameters: Float32Array;
}
export type Question =
  | { module: WebAssembly.Module; examples: Examples | null }
  | { network: PlainNetwork }
  | { a: PlainNetwork; b: PlainNetwork };
export type Answer = { result: Examination | Matching } | { problem: string };
