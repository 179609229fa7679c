/** A neuron's arithmetic written out so that it can be checked by hand: the column adds up as shown, figure for figure as
 * `glassnet neuron` and `predict --neuron` print it (`worked.py`). All its numbers have the same decimals; what rounding
 * leaves over goes into the products not shown singly, or is a line of its own. */

import type { NeuronTrace } from "./trace.ts";

const MINUS = "\u2212";
const MOST_DECIMALS = 6;
const PRECISION = 1e-6; // how far from exact numbers of 32 bits may be, relative to the largest

export interface Worked {
  /** The products shown singly, by input. */
  readonly terms: readonly { readonly input: number; readonly figure: string }[];
  /** The products not shown singly, together, or what rounding left over; null where all are shown and add up. */
  readonly rest: Rest | null;
  readonly weightedSum: string;
  readonly bias: string;
  /** What rounding left over between weighted sum, bias and z. */
  readonly rounding: Rest | null;
  readonly preActivation: string;
}
export interface Rest {
  readonly what: string;
  readonly figure: string;
}

/** The inputs of the `top` largest products, largest first; all of them in their order if there are no more. */
export function strongest(products: Float32Array, top: number): number[] {
  if (products.length <= top) return [...products.keys()];
  const best: number[] = [];
  for (let i = 0; i < products.length; i++) {
    const size = Math.abs(products[i]);
    if (best.length === top && size <= Math.abs(products[best[top - 1]])) continue;
    let at = best.length;
    while (at > 0 && size > Math.abs(products[best[at - 1]])) at--;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, top);
  }
  return best;
}

/** null where some number is none any more (overflow), and nothing adds up. */
export function worked(neuron: NeuronTrace, shown: readonly number[]): Worked | null {
  const { products } = neuron;
  const column = [...shown.map((i) => products[i]), neuron.weightedSum, neuron.bias, neuron.preActivation];
  if (!column.every(Number.isFinite)) return null;
  const decimals = decimalsFor(column, PRECISION);
  const written = (units: bigint): string => figure(units, decimals);
  const units = column.map((value) => unitsOf(value, decimals));
  const [weightedSum, bias, preActivation] = units.slice(-3);
  const terms = units.slice(0, -3);
  const left = terms.reduce((rest, term) => rest - term, weightedSum);
  const others = othersText(products, shown);
  const rounding = preActivation - weightedSum - bias;
  const restOf = (what: string, rest: bigint): Rest => ({
    what: what || "rounding of the lines above",
    figure: written(rest),
  });
  return {
    terms: shown.map((input, i) => ({ input, figure: written(terms[i]) })),
    rest: others || left ? restOf(others, left) : null,
    weightedSum: written(weightedSum),
    bias: written(bias),
    rounding: rounding ? restOf("", rounding) : null,
    preActivation: written(preActivation),
  };
}

/** "772 more products, 655 of them 0"; "" where all are shown. */
function othersText(products: Float32Array, shown: readonly number[]): string {
  const count = products.length - shown.length;
  const zeros = zerosIn(products) - zerosIn(shown.map((i) => products[i]));
  if (count === 0) return "";
  if (zeros === count) return `${whole(count)} more products, all 0, and rounding`;
  return `${whole(count)} more products${zeros ? `, ${whole(zeros)} of them 0` : ""}`;
}

/** How many decimals a column of these values needs: as few as say them exactly, else four or more. */
export function decimalsFor(values: readonly number[], precision: number): number {
  const sizes = values.map(Math.abs);
  const largest = Math.max(0, ...sizes);
  if (largest === 0 || !Number.isFinite(largest)) return 1;
  for (let decimals = 1; decimals <= MOST_DECIMALS; decimals++) {
    if (Number(`1e-${decimals}`) < 100 * precision * largest) break; // at so many everything would look exact
    const rounded = (value: number): number => Number(`${unitsOf(value, decimals)}e-${decimals}`);
    if (sizes.every((size) => Math.abs(size - rounded(size)) <= precision * largest)) return decimals;
  }
  return Math.max(4, 3 - Number(largest.toExponential(16).split("e")[1]));
}

/** A number in whole units of the last decimal, rounded once and exactly, halves to even. */
export function unitsOf(value: number, decimals: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)];
  const exponent = Math.max(1, high >>> 20);
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(low) | (high >>> 20 ? 1n << 52n : 0n);
  const times = fraction * 10n ** BigInt(decimals);
  let units = times << BigInt(Math.max(0, exponent - 1075));
  if (exponent < 1075) {
    const shift = BigInt(1075 - exponent);
    const [half, over] = [1n << (shift - 1n), times & ((1n << shift) - 1n)];
    units = times >> shift;
    if (over > half || (over === half && units & 1n)) units += 1n;
  }
  return value < 0 ? -units : units;
}

/** 236 with 2 decimals is 2.36; 1,234.50. */
export function figure(units: bigint, decimals: number): string {
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0");
  return `${units < 0n ? MINUS : ""}${grouped(digits.slice(0, -decimals))}.${digits.slice(-decimals)}`;
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");
const whole = (count: number): string => grouped(String(count));

function zerosIn(values: ArrayLike<number>): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}
