/** What a network's outputs say, in words. */

import { upToOne } from "../core/names.ts";
import type { Trace } from "../network/trace.ts";
import { percent, short } from "./numbers.ts";

/** The outputs from the largest to the smallest. */
export const ranked = (outputs: ArrayLike<number>): number[] =>
  Array.from(outputs, (_, i) => i).sort((a, b) => outputs[b] - outputs[a]);

/** The class that the outputs name: the largest; of a single output, class 1 above what the squish makes of 0. null where
 * they measure something. */
export function winnerOf({ network, outputs, layers }: Trace): number | null {
  const { classes, target } = network.schema;
  if (outputs.length === 1)
    return classes?.length === 2 ? Number(layers[layers.length - 1].preActivations[0] > 0) : null;
  return classes || !target ? ranked(outputs)[0] : null;
}

/** "looks like 7, 98.1 %; next 1, 1.0 %" */
export function outcomeText(trace: Trace): string {
  const { network, outputs, layers } = trace;
  const winner = winnerOf(trace);
  const size = upToOne(layers[layers.length - 1].squish) ? percent : short;
  if (outputs.some(Number.isNaN)) return "the outputs are not numbers";
  if (winner === null) return `${network.schema.target ?? "output"} ${Array.from(outputs, short).join(", ")}`;
  if (outputs.length === 1) return `looks like ${network.className(winner)}, ${size(outputs[0])}`;
  const [best, next] = ranked(outputs).map((i) => `${network.className(i)}, ${size(outputs[i])}`);
  return `looks like ${best}; next ${next}`;
}
