/** Which hidden neuron of one network does the work of which neuron of another. Hidden neurons have no order of their own:
 * two networks that learnt the same hold it in different places.
 *
 * Two neurons are alike as far as their pre-activations rise and fall together over many examples: their correlation,
 * which knows no scale, so that a relu neuron with everything doubled is still itself. (Activations would say nothing of
 * a neuron that is silent on all of them.) Layer by layer the pairs are those of
 * the largest sum (the assignment problem; H. Kuhn 1955, J. Munkres 1957; on networks: S. Ainsworth, J. Hayase,
 * S. Srinivasa, Git Re-Basin, 2022, section 3.1). The same two networks may be paired otherwise by `gn.compare`, which
 * goes by the weights. */

import munkres from "munkres";
import type { Squish } from "../kernel/names.ts";
import { Network } from "./network.ts";

export interface Pair {
  readonly a: number;
  readonly b: number;
  /** −1 to 1; 0 where one of the two never changes. */
  readonly alike: number;
}

/** What one layer's neurons say to many examples: (examples, neurons), row by row. */
export type Said = Float32Array;

/** Squishes with f(c z) = c f(z) for every c above 0. */
const SCALES: ReadonlySet<Squish> = new Set<Squish>(["relu", "leaky_relu"]);

/** Parameters are the same but for rounding if they differ by at most this share of the largest of their layer. */
const ROUNDING = 8 * 2 ** -23;

/** Pairs in a's order. */
export function paired(a: Said, b: Said, neurons: number): Pair[] {
  const [ofA, ofB] = [columns(a, neurons), columns(b, neurons)];
  const alike = ofA.map((one) => ofB.map((other) => dot(one, other)));
  const pairs = munkres(alike.map((row) => row.map((value) => 1 - value)));
  return pairs.map(([i, j]) => ({ a: i, b: j, alike: alike[i][j] })).sort((p, q) => p.a - q.a);
}

/** Each neuron's numbers around their mean, at length 1: then products add up to correlations. */
function columns(said: Said, neurons: number): Float64Array[] {
  const examples = said.length / neurons;
  return Array.from({ length: neurons }, (_, neuron) => {
    const column = Float64Array.from({ length: examples }, (_, i) => said[i * neurons + neuron]);
    const mean = column.reduce((sum, value) => sum + value, 0) / examples;
    const around = column.map((value) => value - mean);
    const length = Math.sqrt(dot(around, around));
    return around.map((value) => (length > 0 ? value / length : 0));
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** b with its hidden neurons in a's order: the same function. `pairs` has one list for each hidden layer. */
export function inOrder(b: Network, pairs: readonly (readonly Pair[])[]): Network {
  const parameters = new Float32Array(b.parameters.length);
  b.architecture.places.forEach(({ fanIn, fanOut, start, biases }, layer) => {
    const [from, to] = [pairs[layer - 1], pairs[layer]];
    for (let row = 0; row < fanOut; row++) {
      const source = to ? to[row].b : row;
      parameters[biases + row] = b.parameters[biases + source];
      for (let column = 0; column < fanIn; column++)
        parameters[start + row * fanIn + column] =
          b.parameters[start + source * fanIn + (from ? from[column].b : column)];
    }
  });
  return b.withParameters(parameters);
}

/** Whether two networks of one structure are the same function because their parameters are the same in the same places,
 * but for rounding and for the scale of relu neurons. */
export function sameFunction(a: Network, b: Network): boolean {
  let before: ArrayLike<number> | null = null; // how many times as large a's activations are as b's
  return a.architecture.places.every(({ fanIn, fanOut, start, biases, stop }, layer) => {
    const mayScale = SCALES.has(a.activation(layer)) && layer < a.architecture.places.length - 1;
    const scaled = Float64Array.from({ length: stop - start }, (_, i) => {
      const column = i % fanIn;
      return b.parameters[start + i] / (before && start + i < biases ? before[column] : 1);
    });
    const incoming = (values: ArrayLike<number>, first: number, row: number): number => {
      let sum = values[first + fanIn * fanOut + row] ** 2;
      for (let i = 0; i < fanIn; i++) sum += values[first + row * fanIn + i] ** 2;
      return Math.sqrt(sum);
    };
    const scales = Float64Array.from({ length: fanOut }, (_, row) => {
      const [ofA, ofB] = [incoming(a.parameters, start, row), incoming(scaled, 0, row)];
      return mayScale && ofA > 0 && ofB > 0 ? ofA / ofB : 1;
    });
    before = scales;
    const most = a.parameters.subarray(start, stop).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return scaled.every((value, i) => {
      const row = i < fanIn * fanOut ? Math.floor(i / fanIn) : i - fanIn * fanOut;
      return Math.abs(a.parameters[start + i] - value * scales[row]) <= ROUNDING * most;
    });
  });
}
