/** Which way each knob turns: the slope of the loss for a handful of examples, one slope per parameter. It is of the network
 * as it is: dropout and penalties come in with the step itself. */

import type { Dataset } from "../data/dataset.ts";
import { Context } from "../core/context.ts";
import { InputKind, Purpose, Vector, type Loss } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import type { Architecture } from "../network/architecture.ts";
import { gather, oneHot } from "./examples.ts";

const ROWS_AT = 8; // where `Inputs` of kernel.h has its number of rows

export interface Gradient {
  /** The mean loss of the examples. */
  readonly loss: number;
  readonly slopes: Float32Array<ArrayBuffer>;
}

export class Gradients {
  readonly #data: Dataset;
  readonly #most: number;
  readonly #context: Context;
  readonly #values: number;
  readonly #inputs: number;
  readonly #rows: number;
  readonly #wanted: number;
  readonly #targets: number;

  /** Of up to `most` examples of the data at a time. */
  constructor(module: WebAssembly.Module, architecture: Architecture, data: Dataset, loss: Loss, most: number) {
    this.#data = data;
    this.#most = Math.min(most, data.inputs.count);
    const plan = { batchSize: this.#most, loss, optimizer: DEFAULTS.descent } as const;
    this.#context = new Context(module, architecture, Purpose.Gradient, plan);
    const { memory } = this.#context;
    this.#values = memory.lend(4 * this.#most * data.width);
    this.#inputs = this.#context.inputs(InputKind.DenseFloats, 1, this.#most, this.#values);
    this.#rows = architecture.sizes.at(-1)!;
    this.#wanted = memory.lend(4 * this.#most * this.#rows);
    this.#targets = memory.put(Int32Array, [0, this.#wanted, 0]);
  }

  /** Of these examples (numbers of rows). */
  of(parameters: Float32Array, examples: readonly number[]): Gradient {
    const loss = this.#learnFrom(parameters, examples);
    return { loss, slopes: this.#context.read(Vector.Slopes) };
  }

  /** The mean loss alone, of however many examples. */
  loss(parameters: Float32Array, examples: readonly number[]): number {
    let sum = 0;
    for (let from = 0; from < examples.length; from += this.#most) {
      const some = examples.slice(from, from + this.#most);
      sum += some.length * this.#learnFrom(parameters, some);
    }
    return sum / examples.length;
  }

  #learnFrom(parameters: Float32Array, examples: readonly number[]): number {
    const { memory } = this.#context;
    gather(memory, this.#values, this.#data, examples);
    memory.view(Float32Array, this.#wanted, examples.length * this.#rows).set(this.#wantedOf(examples));
    memory.data(this.#inputs, ROWS_AT + 8).setBigInt64(ROWS_AT, BigInt(examples.length), true);
    this.#context.write(Vector.Parameters, parameters);
    this.#context.setExamples(this.#inputs, this.#targets);
    return this.#context.gradient();
  }

  #wantedOf(examples: readonly number[]): Float32Array {
    const { targets } = this.#data;
    if ("labels" in targets)
      return oneHot(
        Int32Array.from(examples, (i) => targets.labels[i]),
        examples.length,
        this.#rows,
      );
    const { rows } = targets;
    return Float32Array.from(examples.flatMap((i) => [...rows.subarray(i * this.#rows, (i + 1) * this.#rows)]));
  }
}
