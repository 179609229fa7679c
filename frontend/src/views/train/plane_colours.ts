/** The last layer's answer over the plane, in colours: of two classes blue for one and orange for the other; of more, one
 * from paper to ink; a measurement from its lowest to its highest. */

import type { Dataset } from "../../data/dataset.ts";
import { paintGrey, paintSigned } from "../../draw/picture.ts";

/** Lighter than the points that lie on it. */
const FAINT = 0.55;

export function paintField(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  side: number,
  { targets, schema }: Dataset,
): void {
  if ("rows" in targets) {
    const [low, high] = rangeOf(targets.rows);
    paintGrey(
      canvas,
      values.map((value) => (FAINT * (value - low)) / (high - low || 1)),
      side,
      side,
    );
  } else if (schema.classes?.length === 2) {
    paintSigned(
      canvas,
      values.map((value) => FAINT * (2 * value - 1)),
      side,
      side,
      1,
    );
  } else
    paintGrey(
      canvas,
      values.map((value) => FAINT * value),
      side,
      side,
    );
}

export function rangeOf(values: Float32Array): [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}
