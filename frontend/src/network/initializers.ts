/** Where the numbers of a network start: the rules of `initializers.py`, drawn by the core. The same seed gives the same
 * numbers as `Network.create`. */

import { Memory } from "../core/memory.ts";
import type { Squish } from "../core/names.ts";
import type { Architecture } from "./architecture.ts";

/** In the core's order (`kernel/start.c`). */
export const INITIALIZER_NAMES = [
  "he_normal",
  "he_uniform",
  "glorot_normal",
  "glorot_uniform",
  "lecun_normal",
  "lecun_uniform",
  "normal",
  "uniform",
  "zeros",
] as const;
export type Initializer = (typeof INITIALIZER_NAMES)[number];

const SYMMETRIC: readonly Squish[] = ["identity", "sigmoid", "tanh", "hard_sigmoid", "softmax", "step"];

/** The rule that fits this squish. */
export function fitting(squish: Squish): Initializer {
  if (squish === "selu") return "lecun_normal";
  return SYMMETRIC.includes(squish) ? "glorot_uniform" : "he_normal";
}

/** Start values for every layer by one rule, or ("fitting") each by the one that fits it. */
export function initial(
  module: WebAssembly.Module,
  seed: number,
  architecture: Architecture,
  rule: Initializer | "fitting",
): Float32Array<ArrayBuffer> {
  const memory = new Memory(module);
  const rules = architecture.activations.map((squish) =>
    INITIALIZER_NAMES.indexOf(rule === "fitting" ? fitting(squish) : rule),
  );
  const sizes = memory.put(Int32Array, architecture.sizes);
  const flat = memory.lend(4 * architecture.total);
  memory.kernel.start_values(BigInt(seed), rules.length, sizes, memory.put(Int32Array, rules), flat);
  return memory.view(Float32Array, flat, architecture.total).slice();
}
