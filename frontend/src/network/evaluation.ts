/** How good a network is on a data set: how often it is right, which examples it gets wrong, what it takes for what. */

import { Context, type Targets } from "../core/context.ts";
import { Purpose, Vector } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import type { Architecture } from "./architecture.ts";
import { listed, put, rowsAt, type Examples as Inputs } from "./sparse_rows.ts";
import { squished } from "./activation.ts";

/** Data as the examiner needs it: inputs and what the outputs should be. */
export interface Examples extends Inputs {
  readonly targets: Targets;
}

/** The figures of one network on one data set. */
export interface Examination {
  readonly count: number;
  /** The share that is recognised; null where the targets are measurements. */
  readonly accuracy: number | null;
  /** For measurements the share of their variance that is explained, else null. */
  readonly rSquared: number | null;
  /** The class that each example is taken for; none where the targets are measurements. */
  readonly taken: Int32Array;
  /** Which examples are taken for another class, in their order. */
  readonly wrong: Int32Array;
  /** Counts, (classes, classes): row = what it is, column = what it was taken for. */
  readonly confusion: Int32Array;
  readonly classes: number;
}

const ROWS_AT_ONCE = 96; // go forward at once, as in src/glassnet/engines/native.py

/** Examines networks on the same examples; keeps the kernel open while the architecture stays. */
export class Exam {
  readonly #module: WebAssembly.Module;
  readonly #examples: Examples;
  readonly #lists: boolean;
  #open: { context: Context; inputs: number; outputs: number } | null = null;

  constructor(module: WebAssembly.Module, examples: Examples) {
    this.#module = module;
    this.#examples = examples;
    this.#lists = listed(examples);
  }

  /** Throws an `Error` with a plain message where the memory is not to be had. */
  examine(architecture: Architecture, parameters: Float32Array): Examination {
    const { count } = this.#examples.inputs;
    const fanOut = architecture.sizes.at(-1)!;
    if (!this.#open?.context.architecture.same(architecture)) this.#open = this.#opened(architecture);
    const { context, inputs, outputs } = this.#open;
    context.write(Vector.Parameters, parameters);
    context.forward(inputs, outputs);
    const rows = context.memory.view(Float32Array, outputs, count * fanOut);
    const { targets } = this.#examples;
    if ("rows" in targets) return measured(rows, targets.rows, count, fanOut);
    return recognised(rows, targets.labels, fanOut, evenOutput(this.#module, architecture));
  }

  #opened(architecture: Architecture): { context: Context; inputs: number; outputs: number } {
    this.#open = null; // its memory may go before the next is asked for
    const plan = { batchSize: ROWS_AT_ONCE, loss: DEFAULTS.measured, optimizer: DEFAULTS.descent } as const;
    const context = new Context(this.#module, architecture, Purpose.Forward, plan, this.#lists);
    const inputs = rowsAt(context, this.#examples, put(context.memory, this.#examples, this.#lists));
    const outputs = context.memory.lend(4 * this.#examples.inputs.count * architecture.sizes.at(-1)!);
    return { context, inputs, outputs };
  }
}

/** Of classes. With one output, class 1 is where it says more than `even`: what the squish makes of 0. */
export function recognised(outputs: Float32Array, labels: Int32Array, fanOut: number, even: number): Examination {
  const classes = labels.reduce((most, label) => Math.max(most, label + 1), Math.max(fanOut, 2));
  const confusion = new Int32Array(classes * classes);
  const wrong: number[] = [];
  const taken = labels.map((_, row) => classAt(outputs, row, fanOut, even));
  labels.forEach((label, row) => {
    confusion[label * classes + taken[row]]++;
    if (taken[row] !== label) wrong.push(row);
  });
  const count = labels.length;
  const accuracy = count ? (count - wrong.length) / count : null;
  return { count, accuracy, rSquared: null, taken, wrong: Int32Array.from(wrong), confusion, classes };
}

/** Of measurements: 1 minus the squared error, as a share of their variance around the mean. */
export function measured(outputs: Float32Array, wanted: Float32Array, count: number, fanOut: number): Examination {
  let [error, variance] = [0, 0];
  for (let k = 0; k < fanOut; k++) {
    let mean = 0;
    for (let row = 0; row < count; row++) mean += wanted[row * fanOut + k] / count;
    for (let at = k; at < count * fanOut; at += fanOut) {
      error += (outputs[at] - wanted[at]) ** 2;
      variance += (wanted[at] - mean) ** 2;
    }
  }
  const rSquared = variance ? 1 - error / variance : null;
  const none = new Int32Array(0);
  return { count, accuracy: null, rSquared, taken: none, wrong: none, confusion: none, classes: 0 };
}

/** The class that one example is taken for: the first of the largest outputs, as numpy's argmax; of a single output, 1
 * where it says more than `even`. */
export function classAt(outputs: Float32Array, row: number, fanOut: number, even: number): number {
  if (fanOut === 1) return Number(outputs[row] > even);
  let best = 0;
  for (let k = 1; k < fanOut; k++) if (outputs[row * fanOut + k] > outputs[row * fanOut + best]) best = k;
  return best;
}

/** What a single output says where both classes are equally likely: its activation at 0. */
export const evenOutput = (module: WebAssembly.Module, { sizes, activations }: Architecture): number =>
  sizes.at(-1) === 1 ? squished(module, activations.at(-1)!, Float32Array.of(0))[0] : 0;
