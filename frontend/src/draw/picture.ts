/** Pictures of numbers: one pixel a number on a small canvas, which the styles enlarge (`image-rendering: pixelated`). */

import { grey, signedColour, type Rgb } from "./colours.ts";

/** Grey values 0..1, paper to ink. */
export const paintGrey = (canvas: HTMLCanvasElement, values: ArrayLike<number>, width: number, height: number): void =>
  paint(canvas, values, width, height, grey);

/** Signed values; the largest size has the full colour (or `most`, to share a scale). */
export function paintSigned(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  width: number,
  height: number,
  most = largest(values),
): void {
  paint(canvas, values, width, height, (value) => signedColour(most > 0 ? value / most : 0));
}

export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

function paint(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  width: number,
  height: number,
  colour: (value: number) => Rgb,
): void {
  paintPixels(canvas, width, height, (i) => colour(values[i] ?? 0));
}

/** The colour of each pixel, row by row. */
export function paintPixels(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  colour: (i: number) => Rgb,
): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = colour(i);
    image.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
