/** Inputs in one copy of the kernel's memory: as lists of what is not zero where that is little enough, else as they are.
 * Four digits in five pixels are zero, and lists skip them. */

import type { Context, Rows } from "../kernel/context.ts";
import { InputKind } from "../kernel/names.ts";
import { Memory } from "../kernel/memory.ts";

const MOST_LISTED = 0.33; // of the inputs, as in src/glassnet/engine/native.py
const MOST_COLUMNS = 65_536; // positions are two bytes
const ROOM = 16; // entries that the kernel may write beyond the last

/** Lists taken out of the kernel's memory, to be laid into that of another context. */
export interface Lists {
  readonly values: Uint8Array;
  readonly positions: Uint16Array;
  readonly starts: BigInt64Array;
  readonly scale: number;
  readonly count: number;
}

/** null where lists are no gain. */
export function listed(module: WebAssembly.Module, rows: Rows, width: number): Lists | null {
  if (!(rows.values instanceof Uint8Array) || width > MOST_COLUMNS || rows.count === 0) return null;
  const memory = new Memory(module);
  const limit = Math.floor(MOST_LISTED * rows.count * width);
  const values = memory.put(Uint8Array, rows.values);
  const positions = memory.lend(2 * (limit + width + ROOM));
  const packed = memory.lend(limit + width + ROOM);
  const starts = memory.lend(8 * (rows.count + 1));
  const length = memory.kernel.pack_bytes(values, rows.count, width, limit, positions, packed, starts);
  if (length < 0) return null;
  return {
    values: memory.view(Uint8Array, packed, length + ROOM).slice(),
    positions: memory.view(Uint16Array, positions, length + ROOM).slice(),
    starts: memory.view(BigInt64Array, starts, rows.count + 1).slice(),
    scale: rows.scale,
    count: rows.count,
  };
}

/** The address of these inputs in the context's memory. */
export function layInputs(context: Context, inputs: Lists | Rows): number {
  if (!("positions" in inputs)) return context.dense(inputs);
  const { memory } = context;
  const values = memory.put(Uint8Array, inputs.values);
  const positions = memory.put(Uint16Array, inputs.positions);
  const starts = memory.put(BigInt64Array, inputs.starts);
  return context.inputs(InputKind.ShortBytes, inputs.scale, inputs.count, values, positions, starts);
}
