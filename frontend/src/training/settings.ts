/** What a run is made of, and what is checked before anything is allocated. */

import type { Dataset } from "../data/dataset.ts";
import { LOSS_NAMES, type Loss, type Optimizer, type Squish } from "../core/names.ts";
import { ACTIVATIONS, DEFAULTS, LOSSES, OPTIMIZERS } from "../generated/tables.ts";
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

/** How many numbers an optimizer remembers for each parameter. */
export const slotsOf = (optimizer: Optimizer): number => OPTIMIZERS[optimizer].slots;

/** The loss that fits: for classes cross-entropy, binary where each output answers yes or no; where outputs are no
 * probabilities, squared error. */
export function fittingLoss(data: Dataset, output: Squish): Loss {
  const fitting = "labels" in data.targets && LOSS_NAMES.find((loss) => LOSSES[loss].readsLogitsOf === output);
  return fitting || DEFAULTS.measured;
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
  const flat = squishes.findIndex((squish) => !ACTIVATIONS[squish].trainable);
  if (flat >= 0)
    throw new Error(
      `Layer ${flat} has the squish ${squishes[flat]}, which is flat: nothing can be learnt through it. Take ${DEFAULTS.neuron}.`,
    );
  return new Architecture(sizes, squishes);
}
