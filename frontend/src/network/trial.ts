/** Networks tried on many examples at once: their answers, what they are worth, and which neurons of two go together. Runs
 * in a worker (`trial.worker.ts`); the kernel does the arithmetic. */

import { Context, type Rows, type Targets } from "../kernel/context.ts";
import { Purpose, Vector } from "../kernel/names.ts";
import { uniform } from "../kernel/uniform.ts";
import { Architecture } from "./architecture.ts";
import { inOrder, paired, sameFunction, type Activations, type Pair } from "./matching.ts";
import { Network } from "./network.ts";
import { Tracer } from "./trace.ts";

/** Examples that neurons are paired over. */
const SAMPLE = 500;
/** Contexts kept open: two networks are compared, each going forward and traced. */
const KEPT = 4;

export interface Examples {
  readonly inputs: Rows;
  readonly targets: Targets;
}

/** One network on all examples. */
export interface Answers {
  /** The class of each; null where the targets are measurements. */
  readonly classes: Int32Array | null;
  /** The share of right classes, or of the variance that is explained (R squared). */
  readonly figure: number;
}

export interface Matching {
  /** One list for each hidden layer, in a's order. */
  readonly pairs: readonly (readonly Pair[])[];
  /** b with its hidden neurons in a's order. */
  readonly inOrder: Float32Array;
  /** Whether the parameters are the same then, but for rounding and scale. */
  readonly same: boolean;
  /** How many examples it was told over. */
  readonly examples: number;
}

interface Opened {
  readonly context: Context;
  readonly inputs: number;
  readonly results: readonly number[];
  /** Where the addresses of the results lie. */
  readonly pointers: number;
}

export class Trial {
  readonly #module: WebAssembly.Module;
  readonly #examples: Examples | null;
  readonly #opened = new Map<string, Opened>();

  /** Without examples neurons are paired over inputs at random. */
  constructor(module: WebAssembly.Module, examples: Examples | null) {
    this.#module = module;
    this.#examples = examples;
  }

  answers(network: Network): Answers {
    if (!this.#examples) throw new Error("There are no examples to try the networks on.");
    const { inputs, targets } = this.#examples;
    const width = network.architecture.sizes.at(-1)!;
    if ("labels" in targets) network = withLogits(network);
    const { context, inputs: at, results } = this.#open(network, Purpose.Forward, inputs);
    context.forward(at, results[0]);
    const outputs = context.memory.view(Float32Array, results[0], inputs.count * width);
    if ("rows" in targets) return { classes: null, figure: rSquared(outputs, targets.rows, width) };
    const classes = width === 1 ? this.#moreThanEven(network, outputs) : largestOf(outputs, width);
    const right = classes.reduce((sum, answer, i) => sum + Number(answer === targets.labels[i]), 0);
    return { classes, figure: right / inputs.count };
  }

  /** Both networks have the same sizes and squishes. */
  match(a: Network, b: Network): Matching {
    const rows = this.#sample(a.architecture.sizes[0]);
    const [ofA, ofB] = [this.#activations(a, rows), this.#activations(b, rows)];
    const pairs = a.architecture.sizes.slice(1, -1).map((neurons, layer) => paired(ofA[layer], ofB[layer], neurons));
    const ordered = inOrder(b, pairs);
    return { pairs, inOrder: ordered.parameters, same: sameFunction(a, ordered), examples: rows.count };
  }

  #sample(width: number): Rows {
    if (!this.#examples)
      return { values: Float32Array.from(uniform(this.#module, 0)(SAMPLE * width)), scale: 1, count: SAMPLE };
    const { values, scale, count } = this.#examples.inputs;
    const few = Math.min(count, SAMPLE);
    return { values: values.subarray(0, few * width), scale, count: few };
  }

  #activations(network: Network, rows: Rows): Activations[] {
    const { context, inputs, results, pointers } = this.#open(network, Purpose.Trace, rows);
    context.trace(inputs, pointers);
    return network.architecture.sizes
      .slice(1)
      .map((size, layer) => context.memory.view(Float32Array, results[3 * layer + 2], rows.count * size).slice());
  }

  /** The network in the kernel, with room for the results; opened anew only for another structure. */
  #open(network: Network, purpose: Purpose, rows: Rows): Opened {
    const { architecture } = network;
    const key = `${purpose} ${architecture} ${architecture.activations}`;
    let found = this.#opened.get(key);
    if (!found) {
      const context = new Context(this.#module, architecture, purpose, {
        batchSize: Math.min(rows.count, 96),
        loss: "squared_error",
        optimizer: "sgd",
      });
      const inputs = context.dense(rows);
      const sizes = purpose === Purpose.Trace ? architecture.sizes.slice(1).flatMap((n) => [n, n, n]) : null;
      const results = (sizes ?? [architecture.sizes.at(-1)!]).map((n) => context.memory.lend(4 * rows.count * n));
      found = { context, inputs, results, pointers: context.memory.put(Int32Array, results) };
      if (this.#opened.size >= KEPT) this.#opened.delete(this.#opened.keys().next().value!);
      this.#opened.set(key, found);
    }
    found.context.write(Vector.Parameters, network.parameters);
    return found;
  }

  /** One output tells two classes: 1 where it says more than the squish makes of 0. */
  #moreThanEven(network: Network, outputs: Float32Array): Int32Array {
    const last = new Architecture([1, 1], [network.architecture.activations.at(-1)!]);
    const even = new Tracer(this.#module).trace(new Network(last, new Float32Array(2)), new Float32Array(1)).outputs[0];
    return Int32Array.from(outputs, (output) => Number(output > even));
  }
}

/** Without a last squish that rounds large numbers to 1, so that the larger of two is still told, as `evaluate` does it. */
function withLogits(network: Network): Network {
  const last = network.architecture.activations.length - 1;
  return ["softmax", "sigmoid"].includes(network.activation(last)) ? network.withActivation(last, "identity") : network;
}

/** The class of each row: the largest output. */
function largestOf(outputs: Float32Array, width: number): Int32Array {
  return Int32Array.from({ length: outputs.length / width }, (_, row) => {
    let best = row * width;
    for (let i = best + 1; i < (row + 1) * width; i++) if (outputs[i] > outputs[best]) best = i;
    return best - row * width;
  });
}

/** The share of the targets' variance that the outputs explain. */
function rSquared(outputs: Float32Array, targets: Float32Array, width: number): number {
  const means = Array.from({ length: width }, () => 0);
  targets.forEach((target, i) => (means[i % width] += (target * width) / targets.length));
  let [missed, varied] = [0, 0];
  targets.forEach((target, i) => {
    missed += (target - outputs[i]) ** 2;
    varied += (target - means[i % width]) ** 2;
  });
  return varied > 0 ? 1 - missed / varied : 0;
}
