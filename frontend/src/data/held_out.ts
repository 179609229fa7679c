/** Some examples are never learnt from, to tell how good a network is on what it has not seen. */

import type { Dataset } from "./dataset.ts";

const EACH = 5;

/** Every 5th example is held out, the others are to learn from. */
export function heldOut(data: Dataset): { train: Dataset; test: Dataset } {
  const out = (i: number): boolean => i % EACH === EACH - 1;
  const all = Array.from({ length: data.inputs.count }, (_, i) => i);
  return {
    train: rowsOf(
      data,
      all.filter((i) => !out(i)),
      data.name,
    ),
    test: rowsOf(data, all.filter(out), `${data.name}, held out`),
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
