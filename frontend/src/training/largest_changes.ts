/** Which parameters a step turns most, by their names. */

import type { Architecture } from "../network/architecture.ts";

/** "bias of 1:3", "weight 402 of 0:7": what stands at this place of the flat vector. */
export function knobName({ places }: Architecture, index: number): string {
  const layer = places.findIndex(({ stop }) => index < stop);
  const { start, biases, fanIn } = places[layer];
  if (index >= biases) return `bias of ${layer}:${index - biases}`;
  const within = index - start;
  return `weight ${within % fanIn} of ${layer}:${Math.floor(within / fanIn)}`;
}

/** The places of the largest values by size, largest first. */
export function largestPlaces(values: Float32Array, most: number): number[] {
  const found: number[] = [];
  let least = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]) > least)) continue;
    found.push(i);
    found.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
    if (found.length > most) found.pop();
    if (found.length === most) least = Math.abs(values[found[most - 1]]);
  }
  return found;
}
