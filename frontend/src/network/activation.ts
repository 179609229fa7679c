/** A squish by itself. The kernel computes it: a network 1-1 of weight 1 and bias 0 makes squish(z) of z. */

import { Context } from "../core/context.ts";
import { Purpose, Vector, type Squish } from "../core/names.ts";
import { Architecture } from "./architecture.ts";

/** As `glassnet explain` prints them. */
export const FORMULAS: Readonly<Record<Squish, string>> = {
  identity: "z",
  sigmoid: "1 / (1 + exp(-z))",
  tanh: "tanh(z)",
  relu: "max(0, z)",
  leaky_relu: "z above 0, 0.01 z below",
  elu: "z above 0, exp(z) - 1 below",
  selu: "1.0507 times (z above 0, 1.6733 (exp(z) - 1) below)",
  softplus: "log(1 + exp(z))",
  gelu: "z times the share of a normal distribution below z",
  gelu_tanh: "z / 2 (1 + tanh(0.7979 (z + 0.044715 z^3)))",
  silu: "z / (1 + exp(-z))",
  mish: "z tanh(log(1 + exp(z)))",
  hard_sigmoid: "z / 6 + 1/2, kept between 0 and 1",
  step: "1 above 0, else 0",
  softmax: "exp(z) / sum of exp(z) over the row",
};

const ONE_TO_ONE = Float32Array.of(1, 0);

/** squish(z) for each z. Softmax, which looks at a whole layer, is none of one number: of one alone it makes 1. */
export function squished(module: WebAssembly.Module, squish: Squish, z: Float32Array): Float32Array {
  const context = new Context(module, new Architecture([1, 1], [squish]), Purpose.Forward, {
    batchSize: 96,
    loss: "squared_error",
    optimizer: "sgd",
  });
  context.write(Vector.Parameters, ONE_TO_ONE);
  const inputs = context.dense({ values: z, scale: 1, count: z.length });
  const outputs = context.memory.lend(4 * z.length);
  context.forward(inputs, outputs);
  return context.memory.view(Float32Array, outputs, z.length).slice();
}
