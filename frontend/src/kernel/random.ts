/** Random numbers that are a formula of a seed and of what they are for; drawn by the kernel, so that a seed means the same
 * bits in every browser. */

import { Memory } from "./memory.ts";

/** What numbers are drawn for: each has a stream of its own. */
export const Stream = { StartValues: 0, Toy: 1, Variation: 2, Inputs: 3 } as const;
export type Stream = (typeof Stream)[keyof typeof Stream];

const AT_ONCE = 65536;

export class Random {
  readonly #memory: Memory;
  readonly #values: number;
  readonly #key: bigint;
  #drawn = 0n;

  constructor(module: WebAssembly.Module, seed: number, stream: Stream) {
    this.#memory = new Memory(module);
    this.#values = this.#memory.lend(8 * AT_ONCE);
    this.#key = this.#memory.kernel.key(BigInt(seed), BigInt(stream));
  }

  /** Fills with numbers from low to below high. */
  uniform<A extends Float32Array | Float64Array>(to: A, low = 0, high = 1): A {
    return this.#fill(to, "uniform", low, high - low);
  }

  /** Fills with numbers of a normal distribution. */
  normal<A extends Float32Array | Float64Array>(to: A, mean = 0, deviation = 1): A {
    return this.#fill(to, "normal", mean, deviation);
  }

  /** 0 to count - 1 in random order. */
  order(count: number): number[] {
    const memory = new Memory(this.#memory.module);
    const at = memory.lend(8 * count);
    memory.kernel.epoch_order(this.#next(), 0n, count, at);
    return Array.from(memory.view(BigInt64Array, at, count), Number);
  }

  #next(): bigint {
    return this.#memory.kernel.key(this.#key, this.#drawn++);
  }

  #fill<A extends Float32Array | Float64Array>(to: A, kind: "uniform" | "normal", offset: number, times: number): A {
    for (let done = 0; done < to.length; done += AT_ONCE) {
      const count = Math.min(AT_ONCE, to.length - done);
      this.#memory.kernel[kind](this.#next(), count, this.#values);
      const drawn = this.#memory.view(Float64Array, this.#values, count);
      for (let i = 0; i < count; i++) to[done + i] = offset + times * drawn[i];
    }
    return to;
  }
}
