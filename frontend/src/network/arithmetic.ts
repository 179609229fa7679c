/** A neuron's arithmetic written out so that it can be checked by hand: the column adds up as shown, figure for figure as
 * the command prints it (`arithmetic.py`, which says how it is rounded). All its numbers have the same decimals; what the
 * machine's own rounding adds is a line of its own where it shows. */

import type { NeuronTrace } from "./trace.ts";

const MINUS = "\u2212";
const MOST_DECIMALS = 6;
const MOST_ZEROS = 9; // behind the point, and
const MOST_DIGITS = 12; // before it: beyond, numbers are written with a power of ten
const MORE_DECIMALS = 3; // so many more than it needs may a column get, to add up
const FARTHEST = [3n, 5n]; // of a unit, as a fraction: from a number to its figure
const PRECISION = 1e-6; // how far from exact numbers of 32 bits may be, relative to the largest

export interface Worked {
  /** The products shown singly, by input. */
  readonly terms: readonly { readonly input: number; readonly figure: string }[];
  /** The products not shown singly, together; null where all are shown. */
  readonly others: Rest | null;
  /** What the machine's rounding adds to the sum of the products; null where it does not show. */
  readonly rounding: Rest | null;
  readonly weightedSum: string;
  readonly bias: string;
  /** What it adds to the sum of weighted sum and bias. */
  readonly biasRounding: Rest | null;
  readonly preActivation: string;
}
export interface Rest {
  readonly what: string;
  readonly figure: string;
}

/** The inputs of the `top` largest products, largest first; all of them in their order if there are no more. */
export function strongest(products: Float32Array | Float64Array, top: number): number[] {
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
  const { products, weightedSum, bias, preActivation } = neuron;
  const terms = shown.map((i) => products[i]);
  const column = [...terms, weightedSum, bias, preActivation];
  if (!column.every(Number.isFinite) || !products.every(Number.isFinite)) return null;
  const singly = new Set(shown);
  const hidden = [...products].filter((_, i) => !singly.has(i));
  const others = hidden.length ? [fsum(hidden)] : [];
  const parts: Part[] = [
    {
      values: [...terms, ...others],
      error: fsum([weightedSum, ...[...terms, ...others].map((value) => -value)]),
      total: weightedSum,
    },
    { values: [bias], error: fsum([preActivation, -weightedSum, -bias]), total: preActivation },
  ];
  const power = powerOf(column);
  const needed = power ? 4 - power : decimalsFor(column, PRECISION);
  let decimals = needed;
  let made = figures(parts, decimals);
  while (!made && decimals < needed + MORE_DECIMALS) made = figures(parts, ++decimals);
  if (!made) made = figures(parts, (decimals = needed), true)!;

  const written = (units: bigint): string => figure(units, decimals + power) + (power ? exponentText(power) : "");
  const restOf = (what: string, units: bigint): Rest => ({ what, figure: written(units) });
  const roundingOf = (units: bigint, error: number): Rest | null =>
    units ? restOf(unitsOf(error, decimals) ? "rounding in float32" : "rounding of the lines above", units) : null;
  const [sum, end] = made;
  return {
    terms: shown.map((input, i) => ({ input, figure: written(sum.figures[i]) })),
    others: hidden.length ? restOf(othersText(hidden), sum.figures[terms.length]) : null,
    rounding: roundingOf(sum.rounding, parts[0].error),
    weightedSum: written(sum.total),
    bias: written(end.figures[0]),
    biasRounding: roundingOf(end.rounding, parts[1].error),
    preActivation: written(end.total),
  };
}

/** A sum: its values, what the machine's total is more than they make, and that total. */
interface Part {
  readonly values: readonly number[];
  readonly error: number;
  readonly total: number;
}

/** Each sum in units of the last decimal; null where it would not add up, unless the rounding takes what is missing. */
function figures(
  parts: readonly Part[],
  decimals: number,
  leavingOver = false,
): { figures: bigint[]; rounding: bigint; total: bigint }[] | null {
  const made = [];
  let carried = 0n;
  for (const { values, error, total: wanted } of parts) {
    const [rounding, total] = [unitsOf(error, decimals), unitsOf(wanted, decimals)];
    const figures = values.map((value) => unitsOf(value, decimals));
    let missing = figures.reduce((left, units) => left - units, total - carried - rounding);
    if (missing && !leavingOver) missing = roundOthers(values, figures, missing, decimals);
    if (missing && !leavingOver) return null;
    made.push({ figures, rounding: rounding + missing, total });
    carried = total;
  }
  return made;
}

/** Rounds figures the other way, those nearest to the middle first, until nothing is missing; gives what still is. */
function roundOthers(values: readonly number[], figures: bigint[], missing: bigint, decimals: number): bigint {
  const step = missing > 0n ? 1n : -1n;
  const beyond = values.map((value, i) => step * (exactly(value, decimals) - figures[i] * ONE));
  const order = [...values.keys()].sort((a, b) => (beyond[a] < beyond[b] ? 1 : beyond[a] > beyond[b] ? -1 : a - b));
  for (const k of order.slice(0, Number(step * missing))) {
    if ((ONE - beyond[k]) * FARTHEST[1] > FARTHEST[0] * ONE) continue;
    figures[k] += step;
    missing -= step;
  }
  return missing;
}

/** The sum, rounded once (Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997), as Python's math.fsum. */
export function fsum(values: readonly number[]): number {
  const partials: number[] = [];
  for (let x of values) {
    let kept = 0;
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low) partials[kept++] = low;
      x = high;
    }
    partials.length = kept;
    partials.push(x);
  }
  let n = partials.length - 1;
  let sum = partials[n] ?? 0;
  let low = 0;
  while (n > 0 && !low) {
    const before = sum;
    const next = partials[--n];
    sum = before + next;
    low = next - (sum - before);
  }
  if (n > 0 && low * partials[n - 1] > 0) {
    const doubled = sum + 2 * low; // halves to even, as the sum of all would be rounded
    if (2 * low === doubled - sum) sum = doubled;
  }
  return sum;
}

/** "772 more products, 655 of them 0". */
function othersText(hidden: readonly number[]): string {
  const zeros = hidden.filter((value) => value === 0).length;
  const some = zeros ? `, ${whole(zeros)} of them 0` : "";
  return `${whole(hidden.length)} more products${zeros === hidden.length ? ", all 0" : some}`;
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
  return Math.max(4, 3 - exponentOf(largest));
}

const exponentOf = (value: number): number => Number(value.toExponential(16).split("e")[1]);
const exponentText = (power: number): string => `e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;

/** The power of ten that all figures of a column are times; 0 where they can be written without. */
function powerOf(values: readonly number[]): number {
  const exponent = exponentOf(Math.max(0, ...values.map(Math.abs)));
  return exponent < -MOST_ZEROS || exponent >= MOST_DIGITS ? exponent : 0;
}

const MOST_POWER = 50; // of ten: decimals are never fewer than -50
const ONE = (10n ** BigInt(MOST_POWER)) << 1074n; // every float is a whole number of 2^-1074

/** A number in units of the last decimal, as a whole number of 1 / ONE: exact. */
function exactly(value: number, decimals: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)];
  const exponent = Math.max(1, high >>> 20);
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(low) | (high >>> 20 ? 1n << 52n : 0n);
  const times = (fraction * 10n ** BigInt(decimals + MOST_POWER)) << BigInt(exponent - 1);
  return value < 0 ? -times : times;
}

/** A number in whole units of the last decimal, rounded once and exactly, halves to even. */
export function unitsOf(value: number, decimals: number): bigint {
  const times = exactly(Math.abs(value), decimals);
  const [half, over] = [ONE / 2n, times % ONE];
  let units = times / ONE;
  if (over > half || (over === half && units & 1n)) units += 1n;
  return value < 0 ? -units : units;
}

/** 236 with 2 decimals is 2.36; 1,234.50. */
export function figure(units: bigint, decimals: number): string {
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0");
  return `${units < 0n ? MINUS : ""}${grouped(digits.slice(0, -decimals))}.${digits.slice(-decimals)}`;
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");
const whole = (count: number): string => grouped(String(count));
