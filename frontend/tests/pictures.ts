/** Small data to learn from. */

import type { Dataset } from "../src/data/dataset.ts";
import { uniform } from "../src/core/random.ts";
import { kernel } from "./kernel.ts";

/** Pictures of `width` grey values, three quarters of them zero, in three classes: class k is bright at places k, k + 3, ... */
export function pictures(count: number, width = 24, seed = 1): Dataset {
  const drawn = uniform(kernel, seed, count * width);
  const bytes = Uint8Array.from(drawn, (x, i) => {
    const label = Math.floor(i / width) % 3;
    return (i % width) % 3 === label && x > 0.25 ? Math.floor(256 * x) : 0;
  });
  return {
    name: "pictures",
    inputs: { values: bytes, scale: 1 / 255, count },
    targets: { labels: Int32Array.from({ length: count }, (_, i) => i % 3) },
    width,
    schema: { classes: ["a", "b", "c"] },
  };
}
