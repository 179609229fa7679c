/** Same structure, other numbers: what a network knows sits in its values, and here is what becomes of it when they change.
 *
 *     scramble  the same values in other places: everything is lost, although not one value is
 *     noise     every value moved a little: much survives
 *     prune     the smallest weights set to 0: most are not needed
 *     round     only so many different values left: few are enough
 *
 * The same as `experiments.py` does, layer by layer, weights apart from biases. */

import type { Random } from "../kernel/random.ts";
import type { Network } from "./network.ts";

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

type Change = (values: Float32Array, random: Random, isWeights: boolean) => void;

/** A network of the same structure.
 *
 * `strength` is the share that changes places (scramble) or becomes 0 (prune), the spread of the noise in root mean squares
 * of the layer's weights (of its biases for the biases), or the bits that are left (round). */
export function varied(network: Network, kind: Variation, strength: number, random: Random): Network {
  const change = CHANGES[kind](strength);
  const parameters = network.parameters.slice();
  for (const { start, biases, stop } of network.architecture.places) {
    change(parameters.subarray(start, biases), random, true);
    change(parameters.subarray(biases, stop), random, false);
  }
  return network.withParameters(parameters);
}

/** Each changes the values it is given in place. */
const CHANGES: Record<Variation, (strength: number) => Change> = {
  scramble: (share) => (values, random) => {
    const drawn = random.uniform(new Float64Array(values.length));
    const places = [...values.keys()].filter((i) => drawn[i] < share);
    const before = values.slice();
    random.order(places.length).forEach((from, i) => (values[places[i]] = before[places[from]]));
  },

  noise: (share) => (values, random) => {
    const spread = share * Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    random.normal(new Float64Array(values.length)).forEach((normal, i) => (values[i] += spread * normal));
  },

  prune: (share) => (values, _, isWeights) => {
    if (!isWeights) return;
    const bySize = Int32Array.from(values.keys()).sort((i, j) => Math.abs(values[i]) - Math.abs(values[j]));
    bySize.subarray(0, Math.round(share * values.length)).forEach((i) => (values[i] = 0));
  },

  /** To the nearest of 2^bits values, evenly spaced from the smallest to the largest. */
  round: (bits) => (values) => {
    const [low, high] = values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
    const step = (high - low) / (2 ** bits - 1);
    if (step > 0) values.forEach((value, i) => (values[i] = low + Math.round((value - low) / step) * step));
  },
};

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
