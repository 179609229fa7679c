/** How good a network is on examples it has not learnt from, in pieces: whoever asks can do other things between them. */

import type { Dataset } from "../data/dataset.ts";
import { Context } from "../core/context.ts";
import { Purpose, Vector, type Loss } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import type { Architecture } from "../network/architecture.ts";
import { classAt, evenOutput } from "../network/evaluation.ts";
import { listed, put, rowsAt } from "../network/sparse_rows.ts";
import { Gradients } from "./gradients.ts";

/** Accuracy where there are classes, else the mean loss. */
export interface Score {
  readonly step: number;
  readonly value: number;
}

const SHORT_WORK = 4e6; // multiplications that take a millisecond or so
const MOST_ROWS = 512;

export class RunningScore {
  readonly #context: Context;
  readonly #data: Dataset;
  readonly #gradients: Gradients | null;
  readonly #blocks: { inputs: number; first: number; count: number }[] = [];
  readonly #outputs: number;
  readonly #even: number;
  #going: { step: number; parameters: Float32Array | null; block: number; right: number } | null = null;

  constructor(module: WebAssembly.Module, architecture: Architecture, data: Dataset, loss: Loss) {
    this.#data = data;
    this.#even = evenOutput(module, architecture);
    this.#gradients = "labels" in data.targets ? null : new Gradients(module, architecture, data, loss, MOST_ROWS);
    const rows = Math.max(16, Math.min(MOST_ROWS, Math.floor(SHORT_WORK / architecture.total)));
    const lists = listed(data);
    const plan = { batchSize: rows, loss, optimizer: DEFAULTS.descent } as const;
    this.#context = new Context(module, architecture, Purpose.Forward, plan, lists);
    const { memory } = this.#context;
    const stored = put(memory, data, lists);
    for (let first = 0; first < data.inputs.count; first += rows) {
      const count = Math.min(rows, data.inputs.count - first);
      this.#blocks.push({ inputs: rowsAt(this.#context, data, stored, first, count), first, count });
    }
    this.#outputs = memory.lend(4 * rows * architecture.sizes.at(-1)!);
  }

  get busy(): boolean {
    return this.#going !== null;
  }

  /** Begins with the network of this step; one that was under way is given up. */
  begin(step: number, parameters: Float32Array): void {
    this.#going = { step, parameters: this.#gradients ? parameters.slice() : null, block: 0, right: 0 };
    this.#context.write(Vector.Parameters, parameters);
  }

  /** One piece of it; the score when it was the last. */
  work(): Score | null {
    const going = this.#going;
    if (!going) return null;
    if (this.#gradients) {
      this.#going = null;
      const all = Array.from({ length: this.#data.inputs.count }, (_, i) => i);
      return { step: going.step, value: this.#gradients.loss(going.parameters!, all) };
    }
    going.right += this.#rightIn(this.#blocks[going.block++]);
    if (going.block < this.#blocks.length) return null;
    this.#going = null;
    return { step: going.step, value: going.right / this.#data.inputs.count };
  }

  /** In how many rows of a block the class is that of the label. */
  #rightIn({ inputs, first, count }: { inputs: number; first: number; count: number }): number {
    const width = this.#context.architecture.sizes.at(-1)!;
    this.#context.forward(inputs, this.#outputs);
    const outputs = this.#context.memory.view(Float32Array, this.#outputs, count * width);
    const { labels } = this.#data.targets as { labels: Int32Array };
    let right = 0;
    for (let row = 0; row < count; row++) if (classAt(outputs, row, width, this.#even) === labels[first + row]) right++;
    return right;
  }
}
