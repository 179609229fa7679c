/** How full a disc is: an activation as a colour that follows the styles by itself, for SVG and elements. */

import { NEVER_NEGATIVE, UP_TO_ONE, type Squish } from "../kernel/names.ts";
import { largest } from "./picture.ts";

/** What counts as full in a layer: 1 where the squish says so, else the largest activation by size. */
export const fullOf = (squish: Squish, ...activations: ArrayLike<number>[]): number =>
  UP_TO_ONE.has(squish) ? 1 : Math.max(...activations.map(largest)) || 1;

export function discColour(activation: number, squish: Squish, full: number): string {
  const share = Math.min(100, (100 * Math.abs(activation)) / full).toFixed(1);
  if (NEVER_NEGATIVE.has(squish)) return `color-mix(in srgb, var(--ink) ${share}%, var(--paper))`;
  return `color-mix(in srgb, var(--${activation < 0 ? "negative" : "positive"}) ${share}%, var(--zero))`;
}
