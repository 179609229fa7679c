/** The four toy shapes of TensorFlow Playground (`toys.py`): two inputs in about [-6, 6], two classes, small enough to see
 * everything. The same seed gives the same points as in Python. */

import { Memory } from "../core/memory.ts";
import type { Dataset } from "./dataset.ts";

/** In the core's order (`kernel/toys.c`). */
export const TOYS = ["circle", "xor", "gauss", "spiral"] as const;
export type Toy = (typeof TOYS)[number];

const WORK = 4; // numbers of memory for each point

/** So many points of a shape, mixed. `noise` from 0 to 0.5 is Playground's 0 to 50. */
export function toy(module: WebAssembly.Module, name: Toy, count: number, noise: number, seed: number): Dataset {
  const memory = new Memory(module);
  const [work, order] = [memory.lend(8 * WORK * count), memory.lend(8 * count)];
  const [points, labels] = [memory.lend(8 * count), memory.lend(4 * count)];
  memory.kernel.toy(TOYS.indexOf(name), count, noise, BigInt(seed), work, order, points, labels);
  return {
    name,
    inputs: { values: memory.view(Float32Array, points, 2 * count).slice(), scale: 1, count },
    targets: { labels: memory.view(Int32Array, labels, count).slice() },
    width: 2,
    schema: { input_shape: [2], features: ["x1", "x2"], classes: ["orange", "blue"] },
  };
}
