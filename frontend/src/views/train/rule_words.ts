/** A step in words. */

import { percent, short } from "../../draw/numbers.ts";
import type { Loss, Optimizer } from "../../core/names.ts";
import type { Trace } from "../../network/trace.ts";

/** How each rule moves a parameter p with the gradient g, as in `optimizers.py`. */
export const RULES: Record<Optimizer, string> = {
  sgd: "p −= rate × g",
  momentum: "v = 0.9 v + g;  p −= rate × v",
  nesterov: "v = 0.9 v + g;  p −= rate × (g + 0.9 v)",
  adam: "p −= rate × m / √s, of the fading means m of g and s of g²",
  adamw: "as Adam, and p shrinks by rate × 0.01 of itself",
  rmsprop: "p −= rate × g / √s, s the fading mean of g²",
  adagrad: "p −= rate × g / √s, s the sum of all g² so far",
};

/** "It says 4, 32.1 %; the answer is 7, which it gives 12.0 %." */
export function saidOf({ outputs, network }: Trace, label: number | undefined): string {
  if (label === undefined) return `It says ${[...outputs].map(short).join(", ")}.`;
  const best = outputs.reduce((top, value, i) => (value > outputs[top] ? i : top), 0);
  const said = `It says ${network.className(best)} (${percent(outputs[best])})`;
  return best === label
    ? `${said}, and that is right.`
    : `${said}; the answer is ${network.className(label)}, which it gives ${percent(outputs[label])}.`;
}

/** The loss as a formula where it is a short one. */
export function lossOf(loss: Loss, value: number, { network, outputs }: Trace, label: number | undefined): string {
  if (loss === "cross_entropy" && label !== undefined)
    return `−ln ${short(outputs[label])} = ${short(value)}: the less it believed the answer, the larger.`;
  if (loss === "squared_error") {
    const measured = label === undefined && network.architecture.activations.at(-1) === "identity";
    const unit = measured ? ", in standard deviations of the target" : "";
    return `the mean of (output − answer)²${unit}: ${short(value)}.`;
  }
  return `${short(value)}.`;
}
