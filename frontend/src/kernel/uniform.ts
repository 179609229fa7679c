/** Numbers at random, without a state: number i is a formula of the seed and i (`kernel/wasm.c`). */

import { Memory } from "./memory.ts";

/** `count` numbers from 0 to below 1. */
export type Uniform = (count: number) => Float64Array;

export function uniform(module: WebAssembly.Module, seed: number): Uniform {
  return (count) => {
    const memory = new Memory(module);
    const at = memory.lend(8 * count);
    memory.kernel.uniform(BigInt(seed), count, at);
    return memory.view(Float64Array, at, count);
  };
}
