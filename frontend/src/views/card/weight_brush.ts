/** Painting on a template: which weights a brush covers, and what it makes of them. */

export const BRUSHES = ["positive", "negative", "erase"] as const;
export type Brush = (typeof BRUSHES)[number];

/** How inputs are laid out as a picture: one pixel an input, row by row. */
export interface Grid {
  readonly width: number;
  readonly height: number;
}
export interface Pixel {
  readonly x: number;
  readonly y: number;
}

/** Weights that are no picture stand in lines of this many. */
const LINE = 32;

export const gridOf = (picture: Grid | null, count: number): Grid =>
  picture ?? { width: Math.min(count, LINE), height: Math.ceil(count / LINE) };

/** The inputs under a round brush of so many pixels across, with its middle on a pixel. */
export function covered({ width, height }: Grid, count: number, middle: Pixel, size: number): number[] {
  const reach = size / 2;
  const inputs: number[] = [];
  for (let y = Math.ceil(middle.y - reach); y <= middle.y + reach; y++)
    for (let x = Math.ceil(middle.x - reach); x <= middle.x + reach; x++) {
      const inside = x >= 0 && y >= 0 && x < width && y < height && Math.hypot(x - middle.x, y - middle.y) <= reach;
      if (inside && y * width + x < count) inputs.push(y * width + x);
    }
  return inputs;
}

/** The pixels from one to another, so that a quick stroke leaves no gaps. */
export function between(from: Pixel, to: Pixel): Pixel[] {
  const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1);
  return Array.from({ length: steps }, (_, i) => {
    const share = (i + 1) / steps;
    return { x: Math.round(from.x + (to.x - from.x) * share), y: Math.round(from.y + (to.y - from.y) * share) };
  });
}

export const brushWeight = (brush: Brush, strength: number): number =>
  brush === "positive" ? strength : brush === "negative" ? -strength : 0;
