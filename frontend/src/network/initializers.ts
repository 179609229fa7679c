/** Where the numbers of a network start: the rules of `initializers.py`, drawn by the core. The same seed gives the same
 * numbers as `Network.create`. */

import { Memory } from "../core/memory.ts";
import type { Initializer, Squish } from "../core/names.ts";
import { ACTIVATIONS, INITIALIZERS } from "../generated/tables.ts";
import type { Architecture } from "./architecture.ts";

/** The rule that fits this activation. */
export const fitting = (squish: Squish): Initializer => ACTIVATIONS[squish].start;

/** Start values for every layer by one rule, or ("fitting") each by the one that fits it. */
export function initial(
  module: WebAssembly.Module,
  seed: number,
  architecture: Architecture,
  rule: Initializer | "fitting",
): Float32Array<ArrayBuffer> {
  const memory = new Memory(module);
  const rules = architecture.activations.map((squish) =>
    INITIALIZERS.indexOf(rule === "fitting" ? fitting(squish) : rule),
  );
  const sizes = memory.put(Int32Array, architecture.sizes);
  const flat = memory.lend(4 * architecture.total);
  memory.kernel.start_values(BigInt(seed), rules.length, sizes, memory.put(Int32Array, rules), flat);
  return memory.view(Float32Array, flat, architecture.total).slice();
}
