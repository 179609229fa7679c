/** The squish as a picture: where its points lie in a frame, with one point of it marked. */

import { scaleLinear, type ScaleLinear } from "d3-scale";
import { line } from "d3-shape";

export interface Frame {
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
  /** The curve, as the attribute d of a path. */
  readonly path: string;
}

const POINTS = 161;
export const MARGIN = { top: 10, right: 8, bottom: 18, left: 34 };

/** How far the curve goes to either side, as in glassnet's other pictures: 6, or a quarter more than z; it ends
 * before numbers do. */
export const reachFor = (z: number): number =>
  Number.isFinite(z) ? Math.min(Math.max(6, 1.25 * Math.abs(z)), 1e37) : 6;

/** Where the squish is asked for: between -reach and reach, the middle among them. */
export const points = (reach: number): Float32Array =>
  Float32Array.from({ length: POINTS }, (_, i) => reach * ((2 * i) / (POINTS - 1) - 1));

export function framed(z: Float32Array, activations: Float32Array, width: number, height: number): Frame {
  const low = activations.reduce((least, a) => Math.min(least, a), 0);
  const high = activations.reduce((most, a) => Math.max(most, a), 0);
  const x = scaleLinear([z[0], z[z.length - 1]], [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const y = scaleLinear([low, high > low ? high : low + 1], [height - MARGIN.bottom, MARGIN.top]).nice(3);
  const path =
    line<number>(
      (_, i) => x(z[i]),
      (a) => y(a),
    )(Array.from(activations)) ?? "";
  return { x, y, path };
}
