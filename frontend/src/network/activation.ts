/** A squish by itself. The kernel computes it: a network 1-1 of weight 1 and bias 0 makes squish(z) of z. */

import { Context } from "../core/context.ts";
import { Purpose, Vector, type Squish } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import { Architecture } from "./architecture.ts";

const ONE_TO_ONE = Float32Array.of(1, 0);

/** squish(z) for each z. Softmax, which looks at a whole layer, is none of one number: of one alone it makes 1. */
export function squished(module: WebAssembly.Module, squish: Squish, z: Float32Array): Float32Array {
  const context = new Context(module, new Architecture([1, 1], [squish]), Purpose.Forward, {
    batchSize: 96,
    loss: DEFAULTS.measured,
    optimizer: DEFAULTS.descent,
  });
  context.write(Vector.Parameters, ONE_TO_ONE);
  const inputs = context.dense({ values: z, scale: 1, count: z.length });
  const outputs = context.memory.lend(4 * z.length);
  context.forward(inputs, outputs);
  return context.memory.view(Float32Array, outputs, z.length).slice();
}
