/** Examples in the kernel's memory: rows of which most are zero as lists of what is not, all others as they are. */

import type { Dataset } from "../data/dataset.ts";
import type { Context } from "../kernel/context.ts";
import { InputKind, type Loss } from "../kernel/names.ts";
import type { Memory } from "../kernel/memory.ts";

// As in `native.py`: what is listed at most, how far short positions reach, and how far the kernel may write too far.
const MOST_LISTED = 0.33;
const MOST_SHORT = 65536;
const LIST_ROOM = 16;
const ROWS_AT_ONCE = 4096;

/** Whether training goes over lists. */
export function listed({ inputs, width }: Dataset): boolean {
  if (!(inputs.values instanceof Uint8Array) || width > MOST_SHORT) return false;
  return nonZeros(inputs.values) <= MOST_LISTED * inputs.values.length;
}

function nonZeros(values: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  return count;
}

/** Inputs in the kernel's memory, and of which kind they are. */
export interface Stored {
  readonly kind: InputKind;
  readonly values: number;
  readonly positions: number;
  readonly starts: number;
}

/** Puts inputs there, as lists if that is said. */
export function put(memory: Memory, data: Dataset, lists: boolean): Stored {
  if (lists) return putLists(memory, data);
  const { values } = data.inputs;
  const bytes = values instanceof Uint8Array;
  return {
    kind: bytes ? InputKind.DenseBytes : InputKind.DenseFloats,
    values: bytes ? memory.put(Uint8Array, values) : memory.put(Float32Array, values),
    positions: 0,
    starts: 0,
  };
}

/** The address of `count` of these rows from `first` on, as the kernel takes them. */
export function rowsAt(
  context: Context,
  { inputs, width }: Dataset,
  stored: Stored,
  first: number,
  count: number,
): number {
  const { kind, values, positions, starts } = stored;
  if (starts) return context.inputs(kind, inputs.scale, count, values, positions, starts + 8 * first);
  return context.inputs(kind, inputs.scale, count, values + first * width * inputs.values.BYTES_PER_ELEMENT);
}

/** Only a part of them at a time lies in the memory as it was. */
function putLists(memory: Memory, { inputs, width }: Dataset): Stored {
  const values = inputs.values as Uint8Array;
  const entries = nonZeros(values);
  const staged = memory.lend(Math.min(ROWS_AT_ONCE, inputs.count) * width);
  const stagedStarts = memory.lend(8 * (ROWS_AT_ONCE + 1));
  const starts = memory.lend(8 * (inputs.count + 1));
  const positions = memory.lend(2 * (entries + width + LIST_ROOM));
  const packed = memory.lend(entries + width + LIST_ROOM);
  let used = 0;
  for (let first = 0; first < inputs.count; first += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, inputs.count - first);
    memory.view(Uint8Array, staged, rows * width).set(values.subarray(first * width, (first + rows) * width));
    const { kernel } = memory;
    const more = kernel.pack_bytes(staged, rows, width, 2 ** 31 - 1, positions + 2 * used, packed + used, stagedStarts);
    const from = memory.view(BigInt64Array, stagedStarts, rows);
    memory.view(BigInt64Array, starts + 8 * first, rows).set(from.map((start) => start + BigInt(used)));
    used += more;
  }
  memory.view(BigInt64Array, starts, inputs.count + 1)[inputs.count] = BigInt(used);
  return { kind: InputKind.ShortBytes, values: packed, positions, starts };
}

/** The address of the targets as this loss wants them: cross-entropy takes labels, others a number for each output. */
export function putTargets(context: Context, { targets, inputs }: Dataset, loss: Loss): number {
  if ("rows" in targets || loss === "cross_entropy") return context.targets(targets);
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
