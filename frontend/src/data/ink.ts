/** Ink told from paper on a photo or drawing, as `data/images.py` does it: the background is the plane through the border's
 * grey values, so that light may fall off across it; ink is what differs from it most, be it darker or lighter. */

import type { Grid } from "./fitting.ts";

const FAINTEST = 24;

/** How much ink is on each pixel, 0 to 1, from grey values 0 to 255. Throws an `Error` for a blank picture. */
export function inkOf({ width, height, values }: Grid): Grid {
  const ring = border(width, height);
  const paper = paperOf(values, width, height, ring);
  // Ranked a little below the very top, so that a few specks of dust are not taken for ink.
  const rank = 1 + Math.floor(Math.max(width, height) / 20);
  const dark = values.map((value, i) => paper[i] - value);
  const light = dark.map((value) => -value);
  const peaks = [dark, light].map((difference) => difference.toSorted().at(-Math.min(rank, difference.length))!);
  const ink = peaks[0] >= peaks[1] ? dark : light;
  const peak = Math.max(...peaks);
  if (peak < FAINTEST)
    throw new Error(
      `The picture is blank: nowhere further than ${Math.max(0, peak).toFixed(0)} of 255 grey values from its background. Draw thicker or darker, on a background of one colour.`,
    );
  const edge = percentile(
    Float32Array.from(ring, (i) => ink[i]),
    0.99,
  );
  const faint = Math.min(Math.max(0.1 * peak, 1.5 * edge), 0.5 * peak);
  const full = percentile(
    ink.filter((value) => value > (faint + peak) / 2),
    0.5,
  );
  return { width, height, values: ink.map((value) => Math.min(1, Math.max(0, (value - faint) / (full - faint)))) };
}

/** The pixels along the border. */
function border(width: number, height: number): number[] {
  const edge = Math.max(1, Math.floor(Math.min(width, height) / 50));
  const all = Math.min(width, height) <= 2;
  return [...Array(width * height).keys()].filter((i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return all || x < edge || y < edge || x >= width - edge || y >= height - edge;
  });
}

function percentile(values: Float32Array, share: number): number {
  const sorted = values.toSorted();
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** The background: the plane through the border, ink and objects on the border apart. */
function paperOf(values: Float32Array, width: number, height: number, ring: number[]): Float32Array {
  const grey = Float32Array.from(ring, (i) => values[i]);
  const middle = percentile(grey, 0.5);
  const away = grey.map((value) => Math.abs(value - middle));
  const most = Math.max(2 * percentile(away, 0.5), 8);
  const usual = ring.filter((_, k) => away[k] <= most);
  const [level, down, across] = plane(
    usual.map((i) => [Math.floor(i / width), i % width]),
    usual.map((i) => values[i]),
  );
  return Float32Array.from(
    { length: width * height },
    (_, i) => level + down * Math.floor(i / width) + across * (i % width),
  );
}

/** level + down * y + across * x, closest to the values in the sense of least squares (normal equations about the mean). */
function plane(places: number[][], values: number[]): [number, number, number] {
  const count = values.length;
  const mean = (of: (k: number) => number): number => values.reduce((sum, _, k) => sum + of(k), 0) / count;
  const [y0, x0, v0] = [mean((k) => places[k][0]), mean((k) => places[k][1]), mean((k) => values[k])];
  const together = (a: (k: number) => number, b: (k: number) => number): number => mean((k) => a(k) * b(k));
  const [y, x, v] = [(k: number) => places[k][0] - y0, (k: number) => places[k][1] - x0, (k: number) => values[k] - v0];
  const [yy, xx, xy, yv, xv] = [together(y, y), together(x, x), together(x, y), together(y, v), together(x, v)];
  const determinant = yy * xx - xy * xy;
  const down = determinant ? (yv * xx - xv * xy) / determinant : 0;
  const across = determinant ? (xv * yy - yv * xy) / determinant : 0;
  return [v0 - down * y0 - across * x0, down, across];
}
