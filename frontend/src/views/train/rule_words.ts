/** A step in words. */

import { percent, short } from "../../draw/numbers.ts";
import type { Loss } from "../../core/names.ts";
import { DEFAULTS, LOSSES } from "../../generated/tables.ts";
import type { Trace } from "../../network/trace.ts";

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
  if (LOSSES[loss].readsLabels && label !== undefined)
    return `−ln ${short(outputs[label])} = ${short(value)}: the less it believed the answer, the larger.`;
  if (loss === DEFAULTS.measured) {
    const measured = label === undefined && network.architecture.activations.at(-1) === DEFAULTS.plain;
    const unit = measured ? ", in standard deviations of the target" : "";
    return `the mean of (output − answer)²${unit}: ${short(value)}.`;
  }
  return `${short(value)}.`;
}
