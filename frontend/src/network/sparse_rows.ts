/** Inputs in the kernel's memory: rows of which most are zero as lists of what is not, all others as they are. Four digits in
 * five pixels are zero, and lists skip them. */

import type { Context, Rows } from "../core/context.ts";
import type { Memory } from "../core/memory.ts";
import { InputKind } from "../core/names.ts";

// As in `native.py`: what is listed at most, how far short positions reach, and how far the kernel may write too far.
const MOST_LISTED = 0.33;
const MOST_SHORT = 65536;
const LIST_ROOM = 16;
const ROWS_AT_ONCE = 4096;

/** Inputs and how many there are in a row. */
export interface Examples {
  readonly inputs: Rows;
  readonly width: number;
}

/** Whether lists are a gain. */
export function listed({ inputs, width }: Examples): boolean {
  if (!(inputs.values instanceof Uint8Array) || width > MOST_SHORT) return false;
  return nonZeros(inputs.values) <= MOST_LISTED * inputs.values.length;
}

function nonZeros(values: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  return count;
}

/** Where inputs lie in the kernel's memory, and of which kind they are. */
export interface Stored {
  readonly kind: InputKind;
  readonly values: number;
  readonly positions: number;
  readonly starts: number;
}

/** Puts inputs there, as lists if that is said. */
export function put(memory: Memory, examples: Examples, lists: boolean): Stored {
  if (lists) return putLists(memory, examples);
  const { values } = examples.inputs;
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
  { inputs, width }: Examples,
  stored: Stored,
  first = 0,
  count = inputs.count,
): number {
  const { kind, values, positions, starts } = stored;
  if (starts) return context.inputs(kind, inputs.scale, count, values, positions, starts + 8 * first);
  return context.inputs(kind, inputs.scale, count, values + first * width * inputs.values.BYTES_PER_ELEMENT);
}

/** Only a part of them at a time lies in the memory as it was. */
function putLists(memory: Memory, { inputs, width }: Examples): Stored {
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
