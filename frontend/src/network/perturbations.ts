/** Same structure, other numbers: what a network knows sits in its values, and here is what becomes of it when they change.
 *
 *     scramble  the same values in other places: everything is lost, although not one value is
 *     noise     every value moved a little: much survives
 *     prune     the smallest weights set to 0: most are not needed
 *     round     only so many different values left: few are enough
 *
 * As `experiments.py` does it, layer by layer, weights apart from biases; the same seed gives the same numbers. */

import { Memory } from "../core/memory.ts";
import type { Network } from "./network.ts";

/** In the core's order (`kernel/perturb.c`). */
export const VARIATIONS = ["scramble", "noise", "prune", "round"] as const;
export type Variation = (typeof VARIATIONS)[number];
export const isVariation = (name: string): name is Variation => (VARIATIONS as readonly string[]).includes(name);

/** How strong each may be, from nothing to all, in the steps of a slider. */
export const STRENGTHS: Record<Variation, { readonly min: number; readonly max: number; readonly step: number }> = {
  scramble: { min: 0, max: 1, step: 0.01 },
  noise: { min: 0, max: 3, step: 0.05 },
  prune: { min: 0, max: 1, step: 0.01 },
  round: { min: 1, max: 12, step: 1 },
};

/** A network of the same structure.
 *
 * `strength` is the share that changes places (scramble) or becomes 0 (prune), the spread of the noise in root mean squares
 * of the layer's weights (of its biases for the biases), or the bits that are left (round). */
export function varied(
  module: WebAssembly.Module,
  network: Network,
  kind: Variation,
  strength: number,
  seed: number,
): Network {
  const { sizes, places, total } = network.architecture;
  const memory = new Memory(module);
  const largest = Math.max(...places.map(({ start, biases }) => biases - start));
  const flat = memory.put(Float32Array, network.parameters);
  const [from, before] = [memory.lend(16 * largest), memory.lend(4 * largest)];
  const sizesAt = memory.put(Int32Array, sizes);
  memory.kernel.perturb(
    VARIATIONS.indexOf(kind),
    strength,
    BigInt(seed),
    sizes.length - 1,
    sizesAt,
    flat,
    from,
    before,
  );
  return network.withParameters(memory.view(Float32Array, flat, total).slice());
}

/** "30 % of the values scrambled (seed 1)" */
export function variationText(kind: Variation, strength: number, seed: number): string {
  const share = `${Math.round(100 * strength)} %`;
  return {
    scramble: `${share} of the values scrambled (seed ${seed})`,
    noise: `noise of ${share} added (seed ${seed})`,
    prune: `the smallest ${share} of the weights set to 0`,
    round: `every value rounded to ${strength} ${strength === 1 ? "bit" : "bits"}`,
  }[kind];
}
