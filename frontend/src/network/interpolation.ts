/** What two networks must share to be compared number by number, and what lies on the straight line between them. */

import type { Network, Schema } from "./network.ts";

/** Where two structures differ, in words; null for networks of the same structure. */
export function structureDiffers(a: Network, b: Network): string | null {
  const [one, other] = [a.architecture, b.architecture];
  if (String(one) !== String(other)) return `their sizes differ: ${one} and ${other}`;
  const layer = one.activations.findIndex((squish, i) => squish !== other.activations[i]);
  return layer < 0
    ? null
    : `layer ${layer} squishes by ${one.activations[layer]} here and ${other.activations[layer]} there`;
}

/** Why one input cannot feed both; null if it can. */
export function inputsDiffer(a: Network, b: Network): string | null {
  const [one, other] = [a.architecture.sizes[0], b.architecture.sizes[0]];
  if (one !== other) return `one takes ${one} inputs, the other ${other}`;
  return reading(a.schema) === reading(b.schema) ? null : "they standardise the same columns by other numbers";
}

const reading = ({ centers, spreads }: Schema): string => JSON.stringify([centers ?? null, spreads ?? null]);

/** All parameters mixed in the same shares: (1 - share) a + share b. */
export function between(a: Network, b: Network, share: number): Network {
  return a.withParameters(a.parameters.map((value, i) => (1 - share) * value + share * b.parameters[i]));
}
