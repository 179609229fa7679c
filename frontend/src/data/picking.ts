/** Which examples of a data set to offer. */

import type { Dataset } from "./dataset.ts";

/** The examples of one class, or all of them, in their order. */
export function examplesOf(data: Dataset, label: number | null): Int32Array {
  const all = Int32Array.from({ length: data.inputs.count }, (_, i) => i);
  const { targets } = data;
  return label === null || !("labels" in targets) ? all : all.filter((i) => targets.labels[i] === label);
}

/** The first of the sorted `indices` beyond `current`; after the last comes the first again. */
export function nextAfter(indices: ArrayLike<number>, current: number): number | null {
  for (let i = 0; i < indices.length; i++) if (indices[i] > current) return indices[i];
  return indices.length ? indices[0] : null;
}
