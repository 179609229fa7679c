/** Examples in the kernel's memory: targets, and rows that are picked. */

import type { Dataset } from "../data/dataset.ts";
import type { Context } from "../core/context.ts";
import type { Memory } from "../core/memory.ts";
import type { Loss } from "../core/names.ts";
import { LOSSES } from "../generated/tables.ts";

/** The address of the targets as this loss wants them: cross-entropy takes labels, others a number for each output. */
export function putTargets(context: Context, { targets, inputs }: Dataset, loss: Loss): number {
  if ("rows" in targets || LOSSES[loss].readsLabels) return context.targets(targets);
  return context.targets({ rows: oneHot(targets.labels, inputs.count, context.architecture.sizes.at(-1)!) });
}

export function oneHot(labels: Int32Array, count: number, classes: number): Float32Array {
  const rows = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) rows[i * classes + labels[i]] = 1;
  return rows;
}

/** Copies rows of a data set to where the kernel reads them, as floats. */
export function gather(memory: Memory, at: number, { inputs, width }: Dataset, rows: ArrayLike<number>): void {
  const to = memory.view(Float32Array, at, rows.length * width);
  const scale = Math.fround(inputs.scale);
  for (let i = 0; i < rows.length; i++)
    for (let j = 0; j < width; j++) to[i * width + j] = inputs.values[rows[i] * width + j] * scale;
}
