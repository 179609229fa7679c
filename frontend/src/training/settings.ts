/** What a run is made of, and what is checked before anything is allocated. */

import type { Dataset } from "../data/dataset.ts";
import type { Loss, Optimizer, Squish } from "../core/names.ts";
import { Architecture } from "../network/architecture.ts";

/** All that the bits of a run depend on, besides its data and start values. */
export interface Settings {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly rate: number;
  readonly batchSize: number;
  readonly l1: number;
  readonly l2: number;
  /** The share of hidden activations dropped at each step. */
  readonly dropout: number;
  /** Of the order of examples and of dropout. */
  readonly seed: number;
}

/** Rates that suit small networks while they stay the same. */
export const USUAL_RATE: Record<Optimizer, number> = {
  sgd: 0.1,
  momentum: 0.02,
  nesterov: 0.02,
  adam: 0.002,
  adamw: 0.002,
  rmsprop: 0.001,
  adagrad: 0.05,
};

const MOMENTS: Record<Optimizer, number> = {
  sgd: 0,
  momentum: 1,
  nesterov: 1,
  adam: 2,
  adamw: 2,
  rmsprop: 1,
  adagrad: 1,
};

/** How many numbers an optimizer remembers for each parameter. */
export const slotsOf = (optimizer: Optimizer): number => MOMENTS[optimizer];

/** The loss that fits: for classes cross-entropy, binary where each output answers yes or no; where outputs are no
 * probabilities, squared error. */
export function fittingLoss(data: Dataset, output: Squish): Loss {
  if (!("labels" in data.targets)) return "squared_error";
  return output === "softmax" ? "cross_entropy" : output === "sigmoid" ? "binary_cross_entropy" : "squared_error";
}

/** How many outputs the data ask for. */
export function outputsOf({ targets, inputs, schema }: Dataset): number {
  if ("rows" in targets) return targets.rows.length / inputs.count;
  return schema.classes?.length ?? targets.labels.reduce((most, label) => Math.max(most, label), 0) + 1;
}

/** Sizes as they are written, "784-16-16-10". Throws an `Error` with a plain message. */
export function sizesOf(text: string): number[] {
  const parts = text.split(/[\s\-\u2013,x]+/).filter((part) => part !== "");
  const sizes = parts.map(Number);
  if (!sizes.length || sizes.some((size) => !Number.isInteger(size) || size < 1))
    throw new Error(`Sizes "${text}": whole numbers from 1 up are needed, with a hyphen between them, like 16-16.`);
  return sizes;
}

export const MOST_PARAMETERS = 50e6;
const MOST_BYTES = 2 ** 31; // addresses in the kernel reach so far
const CHUNK = 1024; // rows go through the kernel at once, at most

/** Throws an `Error` that says how many numbers and megabytes, for a network too large to be trained on a page. */
export function checkRoom(sizes: readonly number[], settings: Settings, data: Dataset): void {
  const total = sizes.slice(1).reduce((sum, size, i) => sum + size * (sizes[i] + 1), 0);
  const vectors = 4 + slotsOf(settings.optimizer); // parameters, slopes, turned weights, a copy to hand out
  const rows = 4 * sizes.slice(1).reduce((sum, size) => sum + size, sizes[0]) * Math.min(settings.batchSize, CHUNK);
  const bytes = 4 * (vectors * total + rows) + data.inputs.values.byteLength;
  if (total <= MOST_PARAMETERS && bytes <= MOST_BYTES) return;
  const megabytes = Math.ceil(bytes / 2 ** 20).toLocaleString("en");
  throw new Error(
    `${sizes.join("-")} has ${total.toLocaleString("en")} numbers; to train it takes ${megabytes} MB. ` +
      `A page can train up to ${MOST_PARAMETERS.toLocaleString("en")} numbers in ${(MOST_BYTES / 2 ** 20).toLocaleString("en")} MB: ` +
      "make a layer narrower or the batch smaller.",
  );
}

/** The structure asked for; throws an `Error` if there is no way to train it. */
export function structureOf(
  sizes: readonly number[],
  squishes: readonly Squish[],
  settings: Settings,
  data: Dataset,
): Architecture {
  checkRoom(sizes, settings, data);
  const step = squishes.indexOf("step");
  if (step >= 0)
    throw new Error(
      `Layer ${step} has the squish step, which is flat: nothing can be learnt through it. Take sigmoid.`,
    );
  return new Architecture(sizes, squishes);
}
