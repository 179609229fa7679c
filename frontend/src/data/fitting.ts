/** Photos and drawings brought to the form of MNIST's digits: the core does what `data/images.py` does, and comes to the same
 * pixels. */

import { Memory } from "../core/memory.ts";

/** Grey values row by row, 0 to 255. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8Array;
}

export const SIDE = 28;
const DIGIT_SIDE = 20;
const FAINTEST = 24; // grey values between ink and paper

/** Where the drawing went: what was at (x, y) is at (x * scale + left, y * scale + top). */
export interface Fitted {
  /** Grey values of 28x28, 0 = background, 255 = ink. */
  readonly grey: Uint8Array<ArrayBuffer>;
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** What is drawn, 0 = background, 255 = ink; null where there is no ink. */
export function fitted(module: WebAssembly.Module, { width, height, grey }: Picture): Fitted | null {
  const memory = new Memory(module);
  const ink = memory.put(
    Float64Array,
    Float64Array.from(grey, (value) => value / 255),
  );
  return fit(memory, ink, width, height);
}

/** The digit on a photo or drawing, dark on light or light on dark. Throws an `Error` for a blank picture. */
export function digitOf(module: WebAssembly.Module, { width, height, grey }: Picture): Uint8Array<ArrayBuffer> {
  const memory = new Memory(module);
  const at = memory.put(Uint8Array, grey);
  const [ink, work] = [memory.lend(8 * grey.length), memory.lend(8 * grey.length)];
  const radius = Math.floor(Math.max(width, height) / 400); // a camera's noise; nothing in small pictures
  if (radius) memory.kernel.box_blur(at, height, width, radius, work);
  const contrast = memory.kernel.ink_of(at, height, width, ink, work);
  const digit = contrast < FAINTEST ? null : fit(memory, ink, width, height);
  if (!digit)
    throw new Error(
      `The picture is blank: nowhere further than ${Math.max(0, contrast).toFixed(0)} of 255 grey values from its background. Draw thicker or darker, on a background of one colour.`,
    );
  return digit.grey;
}

function fit(memory: Memory, ink: number, width: number, height: number): Fitted | null {
  const work = memory.lend(4 * (width * height + DIGIT_SIDE * height + DIGIT_SIDE ** 2));
  const [digit, placement] = [memory.lend(SIDE * SIDE), memory.lend(24)];
  if (!memory.kernel.fit_digit(ink, height, width, work, digit, placement)) return null;
  const [scale, left, top] = memory.view(Float64Array, placement, 3);
  return { grey: memory.view(Uint8Array, digit, SIDE * SIDE).slice(), scale, left, top };
}

/** To another size; each pixel a mean of those it covers. */
export function resize(
  module: WebAssembly.Module,
  { width, height, grey }: Picture,
  wide: number,
  tall: number,
): Picture {
  const memory = new Memory(module);
  const from = memory.put(Float32Array, grey);
  const [across, small] = [memory.lend(4 * height * wide), memory.lend(4 * tall * wide)];
  memory.kernel.resample(from, height, width, 1, width, across, wide, 1, wide);
  memory.kernel.resample(across, wide, 1, wide, height, small, 1, wide, tall);
  return {
    width: wide,
    height: tall,
    grey: Uint8Array.from(memory.view(Float32Array, small, tall * wide), Math.round),
  };
}
