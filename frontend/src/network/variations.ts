/** Same structure, other numbers: what a network knows sits in its values, and here is what becomes of it when they change.
 *
 *     scramble  the same values in other places: everything is lost, although not one value is
 *     noise     every value moved a little: much survives
 *     prune     the smallest weights set to 0: most are not needed
 *     round     only so many different values left: few are enough
 *
 * The same as `experiments.py` does, layer by layer, weights apart from biases. */

import type { Uniform } from "../kernel/uniform.ts";
import type { Network } from "./network.ts";

export const VARIATIONS = ["scramble", "noise", "prune", "round"] as const;
export type Variation = (typeof VARIATIONS)[number];

/** How strong each may be, from nothing to all, in the steps of a slider. */
export const STRENGTHS: Record<Variation, { readonly min: number; readonly max: number; readonly step: number }> = {
  scramble: { min: 0, max: 1, step: 0.01 },
  noise: { min: 0, max: 3, step: 0.05 },
  prune: { min: 0, max: 1, step: 0.01 },
  round: { min: 1, max: 12, step: 1 },
};

/** `values` may be changed; `random` holds two numbers from 0 to below 1 for each. */
type Change = (values: Float32Array, random: Float64Array, isWeights: boolean) => void;

/** A network of the same structure.
 *
 * `strength` is the share that changes places (scramble) or becomes 0 (prune), the spread of the noise in root mean squares
 * of the layer's weights (of its biases for the biases), or the bits that are left (round). */
export function varied(network: Network, kind: Variation, strength: number, random: Uniform): Network {
  const change = CHANGES[kind](strength);
  const parameters = network.parameters.slice();
  const drawn = kind === "prune" || kind === "round" ? new Float64Array(0) : random(2 * parameters.length);
  for (const { start, biases, stop } of network.architecture.places)
    for (const [from, to] of [
      [start, biases],
      [biases, stop],
    ])
      change(parameters.subarray(from, to), drawn.subarray(2 * from, 2 * to), from === start);
  return network.withParameters(parameters);
}

const CHANGES: Record<Variation, (strength: number) => Change> = {
  /** Fisher and Yates (Durstenfeld, 1964), among those that take part. */
  scramble: (share) => (values, random) => {
    const places = Int32Array.from(values.keys()).filter((i) => random[2 * i] < share);
    for (let i = places.length - 1; i > 0; i--) {
      const [here, there] = [places[i], places[Math.floor(random[2 * i + 1] * (i + 1))]];
      [values[here], values[there]] = [values[there], values[here]];
    }
  },

  /** Normal numbers of two uniform ones (Box and Muller, 1958). */
  noise: (share) => (values, random) => {
    const spread = share * Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    values.forEach((value, i) => {
      const normal = Math.sqrt(-2 * Math.log(1 - random[2 * i])) * Math.cos(2 * Math.PI * random[2 * i + 1]);
      values[i] = value + spread * normal;
    });
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
