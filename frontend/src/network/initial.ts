/** Where the numbers start: random weights whose spread fits the layer's width and squish; biases start at zero. The rules
 * and their names are those of `initializers.py`, the numbers drawn are the page's own. */

import type { Squish } from "../kernel/names.ts";
import type { Random } from "../kernel/random.ts";
import type { Architecture } from "./architecture.ts";

type Variance = (fanIn: number, fanOut: number) => number;

const he: Variance = (fanIn) => 2 / fanIn;
const glorot: Variance = (fanIn, fanOut) => 2 / (fanIn + fanOut);
const lecun: Variance = (fanIn) => 1 / fanIn;
const one: Variance = () => 1;
const linear: Variance = (fanIn) => 1 / (3 * fanIn); // uniform on +-1 / sqrt(fanIn), as torch.nn.Linear starts
const none: Variance = () => 0;

const INITIALIZERS = {
  he_normal: ["normal", he],
  he_uniform: ["uniform", he],
  glorot_normal: ["normal", glorot],
  glorot_uniform: ["uniform", glorot],
  lecun_normal: ["normal", lecun],
  lecun_uniform: ["uniform", lecun],
  normal: ["normal", one],
  uniform: ["uniform", linear],
  zeros: ["uniform", none],
} as const satisfies Record<string, readonly ["normal" | "uniform", Variance]>;

export type Initializer = keyof typeof INITIALIZERS;
export const INITIALIZER_NAMES = Object.keys(INITIALIZERS) as Initializer[];

const SYMMETRIC: readonly Squish[] = ["identity", "sigmoid", "tanh", "hard_sigmoid", "softmax", "step"];

/** The rule that fits this squish. */
export function fitting(squish: Squish): Initializer {
  if (squish === "selu") return "lecun_normal";
  return SYMMETRIC.includes(squish) ? "glorot_uniform" : "he_normal";
}

/** Start values for every layer by one rule, or ("fitting") each by the one that fits it. */
export function initial(
  random: Random,
  architecture: Architecture,
  rule: Initializer | "fitting",
): Float32Array<ArrayBuffer> {
  const parameters = new Float32Array(architecture.total);
  architecture.places.forEach(({ fanIn, fanOut, start, biases }, layer) => {
    const [kind, variance] = INITIALIZERS[rule === "fitting" ? fitting(architecture.activations[layer]) : rule];
    const deviation = Math.sqrt(variance(fanIn, fanOut));
    const weights = parameters.subarray(start, biases);
    if (kind === "normal") random.normal(weights, 0, deviation);
    else random.uniform(weights, -Math.sqrt(3) * deviation, Math.sqrt(3) * deviation); // of the same variance
  });
  return parameters;
}
