/** A neuron's arithmetic worked out so that it can be checked by hand: the column adds up as shown. All its numbers have
 * the same decimals; what rounding leaves over goes into the terms not shown singly, or is a line of its own. */

import type { NeuronTrace } from "./trace.ts";

/** Whole numbers of the last decimal: `units` 236 with 2 `decimals` is 2.36. */
export interface Worked {
  readonly decimals: number;
  /** The terms shown singly: weight times input, by input. */
  readonly terms: readonly { readonly input: number; readonly units: number }[];
  /** The terms not shown singly, together; of these some are 0. null where all are shown and add up. */
  readonly rest: { readonly count: number; readonly zeros: number; readonly units: number } | null;
  readonly weightedSum: number;
  readonly bias: number;
  /** What rounding left over between weighted sum, bias and z. */
  readonly rounding: number;
  readonly preActivation: number;
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
  const decimals = decimalsFor(column);
  const units = (value: number): number => Math.round(value * 10 ** decimals);
  const terms = shown.map((input) => ({ input, units: units(products[input]) }));
  const [weightedSum, bias, preActivation] = [neuron.weightedSum, neuron.bias, neuron.preActivation].map(units);
  const left = terms.reduce((rest, term) => rest - term.units, weightedSum);
  const count = products.length - shown.length;
  return {
    decimals,
    terms,
    rest:
      count || left ? { count, zeros: zerosIn(products) - zerosIn(shown.map((i) => products[i])), units: left } : null,
    weightedSum,
    bias,
    rounding: preActivation - weightedSum - bias,
    preActivation,
  };
}

/** As many as give the largest three significant digits, and two at least. */
function decimalsFor(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest > 0 ? Math.min(20, Math.max(2, 2 - Math.floor(Math.log10(largest)))) : 2;
}

function zerosIn(values: ArrayLike<number>): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}
