/** Random numbers of a seed, those of numpy's `default_rng(seed)`: drawn by the core, so that a seed means the same bits in
 * Python and in every browser. */

import { Memory } from "./memory.ts";

/** `count` numbers from 0 to below 1. */
export const uniform = (module: WebAssembly.Module, seed: number, count: number): Float64Array =>
  drawn(module, "uniform", seed, count);

/** `count` numbers of the standard normal distribution. */
export const normal = (module: WebAssembly.Module, seed: number, count: number): Float64Array =>
  drawn(module, "normal", seed, count);

/** 0 to count - 1 in random order. */
export function permutation(module: WebAssembly.Module, seed: number, count: number): number[] {
  const memory = new Memory(module);
  const at = memory.lend(8 * count);
  memory.kernel.permutation(BigInt(seed), count, at);
  return Array.from(memory.view(BigInt64Array, at, count), Number);
}

function drawn(module: WebAssembly.Module, kind: "uniform" | "normal", seed: number, count: number): Float64Array {
  const memory = new Memory(module);
  const at = memory.lend(8 * count);
  memory.kernel[kind](BigInt(seed), count, at);
  return memory.view(Float64Array, at, count).slice();
}
