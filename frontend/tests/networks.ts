/** Small networks with fixed numbers. */

import type { Squish } from "../src/core/names.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network, type Schema } from "../src/network/network.ts";

/** Numbers between -1 and 1 that look random and are always the same. */
export function someNetwork(
  sizes = [3, 4, 2],
  activations: Squish[] = ["tanh", "softmax"],
  schema: Schema = {},
): Network {
  const architecture = new Architecture(sizes, activations);
  const parameters = Float32Array.from({ length: architecture.total }, (_, i) => Math.sin(12.9 * (i + 1)));
  return new Network(architecture, parameters, schema);
}
