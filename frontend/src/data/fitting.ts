/** A drawing brought to MNIST's form, as `data/images.py` does it: cropped, the longer side 20 pixels, the centre of mass at
 * (14, 14) of 28x28. */

/** Values row by row. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

export const SIDE = 28;
const DIGIT_SIDE = 20;
const MIDDLE = 14;

/** Where the drawing went: what was at (x, y) is at (x * scale + left, y * scale + top). */
export interface Fitted {
  /** Grey values of 28x28, 0 = background, 255 = ink. */
  readonly grey: Uint8Array<ArrayBuffer>;
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** null where there is no ink. */
export function fitted(ink: Grid): Fitted | null {
  const box = boxOf(ink);
  if (!box) return null;
  const cropped = crop(ink, box);
  const [x, y] = centre(cropped);
  const arms = Math.max(x + 0.5, cropped.width - 0.5 - x, y + 0.5, cropped.height - 0.5 - y);
  const scale = Math.min(DIGIT_SIDE / Math.max(cropped.width, cropped.height), (MIDDLE - 0.5) / arms);
  const size = (length: number): number => Math.max(1, Math.round(scale * length));
  const small = resize(cropped, size(cropped.width), size(cropped.height));
  const most = small.values.reduce((a, b) => Math.max(a, b), 0);
  const digit = { ...small, values: small.values.map((value) => Math.round((255 * Math.max(0, value)) / most)) };
  const [across, down] = centre(digit);
  const place = (length: number, at: number): number => Math.min(Math.max(Math.round(MIDDLE - at), 0), SIDE - length);
  const [left, top] = [place(digit.width, across), place(digit.height, down)];
  const grey = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < digit.height; row++)
    grey.set(digit.values.subarray(row * digit.width, (row + 1) * digit.width), (top + row) * SIDE + left);
  return { grey, scale, left: left - scale * box.left, top: top - scale * box.top };
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** From the first to the last row and column that hold more than a trace of ink. */
function boxOf({ width, height, values }: Grid): Box | null {
  const [rows, columns] = [new Float64Array(height), new Float64Array(width)];
  values.forEach((value, i) => {
    rows[Math.floor(i / width)] += value;
    columns[i % width] += value;
  });
  const ends = (sums: Float64Array): [number, number] => {
    const trace = 0.02 * sums.reduce((a, b) => Math.max(a, b), 0);
    return [sums.findIndex((sum) => sum > trace), sums.findLastIndex((sum) => sum > trace) + 1];
  };
  const [[top, bottom], [left, right]] = [ends(rows), ends(columns)];
  return top < 0 ? null : { left, right, top, bottom };
}

function crop({ width, values }: Grid, { left, right, top, bottom }: Box): Grid {
  const cut = { width: right - left, height: bottom - top, values: new Float32Array((right - left) * (bottom - top)) };
  for (let row = top; row < bottom; row++)
    cut.values.set(values.subarray(row * width + left, row * width + right), (row - top) * cut.width);
  return cut;
}

/** The centre of mass, as column and row. */
function centre({ width, values }: Grid): [number, number] {
  let [mass, x, y] = [0, 0, 0];
  values.forEach((value, i) => {
    mass += value;
    x += value * (i % width);
    y += value * Math.floor(i / width);
  });
  return [x / mass, y / mass];
}

/** Hamming-windowed sinc, cut at 1. */
function hamming(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 1) return 0;
  return (Math.sin(Math.PI * x) / (Math.PI * x)) * (0.54 + 0.46 * Math.cos(Math.PI * x));
}

/** To another size; each pixel a mean of those it covers. */
export function resize(grid: Grid, width: number, height: number): Grid {
  const wide = along(grid.values, { count: grid.height, stride: grid.width, step: 1 }, grid.width, width);
  const turned = along(wide, { count: width, stride: 1, step: width }, grid.height, height);
  const values = new Float32Array(width * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) values[row * width + column] = turned[column * height + row];
  return { width, height, values };
}

/** `count` lines of `length` numbers, `step` apart, resampled to `wanted` numbers each, one line after the other. */
function along(
  values: Float32Array,
  { count, stride, step }: { count: number; stride: number; step: number },
  length: number,
  wanted: number,
): Float32Array {
  const found = new Float32Array(count * wanted);
  const scale = length / wanted;
  const reach = Math.max(1, scale);
  for (let i = 0; i < wanted; i++) {
    const middle = (i + 0.5) * scale;
    const first = Math.max(0, Math.round(middle - reach));
    const last = Math.min(length, Math.round(middle + reach));
    const shares = Array.from({ length: last - first }, (_, k) => hamming((first + k + 0.5 - middle) / reach));
    const total = shares.reduce((a, b) => a + b, 0);
    for (let line = 0; line < count; line++) {
      let sum = 0;
      shares.forEach((share, k) => (sum += share * values[line * stride + (first + k) * step]));
      found[line * wanted + i] = sum / total;
    }
  }
  return found;
}
