/** How a layer's activations are shown: from paper to ink, or in two colours where the squish goes below zero. */

import { bounded, neverNegative, type Squish } from "../core/names.ts";
import { grey, signedColour, type Rgb } from "./colours.ts";
import { largest } from "./picture.ts";

export interface Scale {
  readonly twoSided: boolean;
  /** An activation of this size is shown in full. */
  readonly most: number;
  /** Whether `most` is a bound of the squish; else it is the largest there is now. */
  readonly bounded: boolean;
}

export function scaleOf(squish: Squish, activations: ArrayLike<number>): Scale {
  const most = bounded(squish) ? 1 : largest(activations) || 1;
  return { twoSided: !neverNegative(squish), most, bounded: bounded(squish) };
}

/** Inputs that are no picture can be anything. */
export const inputScale = (inputs: ArrayLike<number>): Scale => ({
  twoSided: true,
  most: largest(inputs) || 1,
  bounded: false,
});

/** −1..1, or 0..1 where nothing is below zero. What is not a number has no share. */
export function shareOf(value: number, { twoSided, most }: Scale): number {
  const share = Number.isFinite(value) ? value / most : Math.sign(value) || 0;
  return Math.min(1, Math.max(twoSided ? -1 : 0, share));
}

export function colourOf(value: number, scale: Scale): Rgb {
  const share = shareOf(value, scale);
  return scale.twoSided ? signedColour(share) : grey(share);
}
