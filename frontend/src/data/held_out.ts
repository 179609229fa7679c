/** Some examples are never trained on, to tell how good a network is on what it has not seen. */

import { permutation } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";

const SHARE = 0.2; // as `glassnet train` holds out

/** A fifth of the examples, drawn at random, is held out: the rows that `Dataset.split` draws for this seed. */
export function heldOut(module: WebAssembly.Module, data: Dataset, seed: number): { train: Dataset; test: Dataset } {
  const { count } = data.inputs;
  const order = permutation(module, seed, count);
  const out = Math.max(1, Math.round(SHARE * count));
  const sorted = (rows: number[]): number[] => rows.sort((a, b) => a - b);
  return {
    train: rowsOf(data, sorted(order.slice(out)), data.name),
    test: rowsOf(data, sorted(order.slice(0, out)), `${data.name}, held out`),
  };
}

/** These rows alone. */
export function rowsOf(data: Dataset, rows: readonly number[], name = data.name): Dataset {
  const { inputs, targets, width } = data;
  const values = picked(inputs.values, rows, width);
  const fanOut = "rows" in targets ? targets.rows.length / inputs.count : 1;
  return {
    ...data,
    name,
    inputs: { values, scale: inputs.scale, count: rows.length },
    targets:
      "labels" in targets ? { labels: picked(targets.labels, rows, 1) } : { rows: picked(targets.rows, rows, fanOut) },
  };
}

function picked<A extends Uint8Array | Float32Array | Int32Array>(from: A, rows: readonly number[], width: number): A {
  const to = from.slice(0, rows.length * width) as A;
  rows.forEach((row, i) => to.set(from.subarray(row * width, (row + 1) * width), i * width));
  return to;
}
