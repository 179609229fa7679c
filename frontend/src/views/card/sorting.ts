/** The order of a table of terms: by one of its columns, which is clicked on. */

import type { NeuronTrace } from "../../network/trace.ts";

export type Column = "input" | "value" | "weight" | "product" | "gradient";
/** By size: the largest first, whatever their sign. */
export type Direction = "size" | "descending" | "ascending";
export interface Sorting {
  readonly column: Column;
  readonly direction: Direction;
}

export const LARGEST_FIRST: Sorting = { column: "product", direction: "size" };

const CYCLES: Record<"input" | "number", Direction[]> = {
  input: ["ascending", "descending"],
  number: ["size", "descending", "ascending"],
};

/** What a click on a column's head makes of the order. */
export function clicked(sorting: Sorting, column: Column): Sorting {
  const cycle = CYCLES[column === "input" ? "input" : "number"];
  const at = column === sorting.column ? cycle.indexOf(sorting.direction) : -1;
  return { column, direction: cycle[(at + 1) % cycle.length] };
}

/** The inputs in this order; equal ones as they come. By the gradient of each weight only while there is one. */
export function sorted(
  neuron: NeuronTrace,
  { column, direction }: Sorting,
  gradient: Float32Array | null = null,
): Uint32Array {
  const inputs = Uint32Array.from({ length: neuron.weights.length }, (_, i) => i);
  if (column === "input") return direction === "ascending" ? inputs : inputs.reverse();
  const { inputs: value, weights: weight, products: product } = neuron;
  const values = { value, weight, product, gradient: gradient ?? product }[column];
  const keys = direction === "size" ? values.map(Math.abs) : values;
  return inputs.sort(direction === "ascending" ? (a, b) => keys[a] - keys[b] : (a, b) => keys[b] - keys[a]);
}

/** For the attribute aria-sort. */
export const ariaSort = (sorting: Sorting, column: Column): "ascending" | "descending" | "other" | "none" =>
  sorting.column !== column ? "none" : sorting.direction === "size" ? "other" : sorting.direction;
