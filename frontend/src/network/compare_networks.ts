/** Two networks tried on the same examples: what each answers, and which neurons go together. Runs in a worker
 * (`trial.worker.ts`). */

import { Context, type Rows } from "../core/context.ts";
import { Purpose, Vector } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import { uniform } from "../core/random.ts";
import { Exam, type Examination, type Examples } from "./evaluation.ts";
import { alike, paired, type Pair, type Pairing, type Said } from "./matching.ts";
import type { Network } from "./network.ts";

/** Examples that pairs are compared over. */
const SAMPLE = 500;

export interface AlikePair extends Pair {
  /** The correlation of their pre-activations, −1 to 1; 0 where one of the two never changes. */
  readonly alike: number;
}

export interface Matching extends Pairing {
  readonly pairs: readonly (readonly AlikePair[])[];
  /** How many examples `alike` was measured on. */
  readonly examples: number;
}

export class Trial {
  readonly #module: WebAssembly.Module;
  readonly #examples: Examples | null;
  readonly #exam: Exam | null;

  /** Without examples nothing is answered, and pairs are compared over inputs at random. */
  constructor(module: WebAssembly.Module, examples: Examples | null) {
    this.#module = module;
    this.#examples = examples;
    this.#exam = examples && new Exam(module, examples);
  }

  examine({ architecture, parameters }: Network): Examination {
    if (!this.#exam) throw new Error("There are no examples to try the networks on.");
    return this.#exam.examine(architecture, parameters);
  }

  /** Both networks have the same sizes and squishes. */
  match(a: Network, b: Network): Matching {
    const rows = this.#sample(a.architecture.sizes[0]);
    const [ofA, ofB] = this.#preActivations([a, b], rows);
    const pairing = paired(this.#module, a, b);
    const pairs = pairing.pairs.map((ofLayer, layer) => {
      const found = alike(this.#module, ofA[layer], ofB[layer], ofLayer);
      return ofLayer.map((pair, i) => ({ ...pair, alike: found[i] }));
    });
    return { ...pairing, pairs, examples: rows.count };
  }

  #sample(width: number): Rows {
    if (!this.#examples) {
      return { values: Float32Array.from(uniform(this.#module, 0, SAMPLE * width)), scale: 1, count: SAMPLE };
    }
    const { values, scale, count } = this.#examples.inputs;
    const few = Math.min(count, SAMPLE);
    return { values: values.subarray(0, few * width), scale, count: few };
  }

  /** Of networks of one structure, layer by layer. */
  #preActivations(networks: readonly Network[], rows: Rows): Said[][] {
    const { architecture } = networks[0];
    const plan = { batchSize: Math.min(rows.count, 96), loss: DEFAULTS.measured, optimizer: DEFAULTS.descent } as const;
    const context = new Context(this.#module, architecture, Purpose.Trace, plan);
    const { memory } = context;
    const inputs = context.dense(rows);
    const sizes = architecture.sizes.slice(1);
    const places = sizes.flatMap((size) => [0, 1, 2].map(() => memory.lend(4 * rows.count * size)));
    const pointers = memory.put(Int32Array, places);
    return networks.map(({ parameters }) => {
      context.write(Vector.Parameters, parameters);
      context.trace(inputs, pointers);
      return sizes.map((size, layer) => memory.view(Float32Array, places[3 * layer + 1], rows.count * size).slice());
    });
  }
}
