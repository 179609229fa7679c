/** A run: one network in the kernel, one step downhill after the other. A function of its settings: the order of an epoch
 * and what dropout drops follow from the seed, so that from any state any later step is computed again, bit by bit. */

import type { Dataset } from "../data/dataset.ts";
import { Context } from "../core/context.ts";
import { Purpose, Vector } from "../core/names.ts";
import type { Architecture } from "../network/architecture.ts";
import { listed, put, rowsAt } from "../network/sparse_rows.ts";
import { putTargets } from "./examples.ts";
import { slotsOf, type Settings } from "./settings.ts";

/** Where a run stands: all that the next step depends on. */
export interface State {
  readonly step: number;
  readonly parameters: Float32Array<ArrayBuffer>;
  /** What the optimizer remembers. */
  readonly slots: readonly Float32Array<ArrayBuffer>[];
  readonly rate: number;
}

const MOST_STEPS = 256; // in one call to the kernel
const SHORT_WORK = 4e6; // multiplications that take a millisecond or so

export class Run {
  readonly architecture: Architecture;
  readonly settings: Settings;
  readonly stepsPerEpoch: number;
  /** So many steps can be made at once without anyone having to wait. */
  readonly stride: number;
  readonly #count: number;
  readonly #context: Context;
  readonly #slots: Vector[];
  readonly #order: number;
  readonly #rates: number;
  readonly #losses: number;
  #epoch = -1;
  #rate = 0;

  constructor(
    module: WebAssembly.Module,
    architecture: Architecture,
    data: Dataset,
    settings: Settings,
    parameters: Float32Array,
  ) {
    this.architecture = architecture;
    this.settings = settings;
    this.#count = data.inputs.count;
    this.stepsPerEpoch = Math.ceil(this.#count / settings.batchSize);
    this.stride = Math.max(1, Math.min(MOST_STEPS, Math.floor(SHORT_WORK / (architecture.total * settings.batchSize))));
    const lists = listed(data) && parameters.every(Number.isFinite); // one that is not would go unnoticed behind a zero
    const { batchSize, loss, optimizer, l1, l2, dropout, seed } = settings;
    const hidden = architecture.activations.length - 1;
    const plan = { batchSize, loss, optimizer, l1, l2, seed, dropout: Array<number>(hidden).fill(dropout) };
    this.#context = new Context(module, architecture, Purpose.Train, plan, lists);
    const { memory } = this.#context;
    this.#slots = [Vector.FirstSlot, Vector.SecondSlot].slice(0, slotsOf(optimizer));
    this.#order = memory.lend(8 * this.#count);
    this.#rates = memory.lend(8 * MOST_STEPS);
    this.#losses = memory.lend(8 * MOST_STEPS);
    const inputs = rowsAt(this.#context, data, put(memory, data, lists));
    const targets = putTargets(this.#context, data, loss);
    this.rate = settings.rate;
    this.#context.write(Vector.Parameters, parameters);
    this.#context.setExamples(inputs, targets);
  }

  /** How many steps were made. */
  get step(): number {
    return this.#context.step;
  }

  get rate(): number {
    return this.#rate;
  }
  set rate(rate: number) {
    this.#rate = rate;
    this.#context.memory.view(Float64Array, this.#rates, MOST_STEPS).fill(rate);
  }

  /** Makes up to so many steps, within one epoch; returns the loss of each batch before its step. If the last is not
   * finite, its step was not made: the run stands at the last that was good. */
  advance(steps: number): Float64Array {
    const batch = this.step % this.stepsPerEpoch;
    this.#setOrder(Math.floor(this.step / this.stepsPerEpoch));
    const most = Math.min(steps, MOST_STEPS, this.stepsPerEpoch - batch);
    const done = this.#context.run(this.#order, this.#count, this.#rates, batch, most, this.#losses);
    return this.#context.memory.view(Float64Array, this.#losses, done).slice();
  }

  /** Which examples the next step looks at. */
  nextBatch(): number[] {
    this.#setOrder(Math.floor(this.step / this.stepsPerEpoch));
    const from = (this.step % this.stepsPerEpoch) * this.settings.batchSize;
    const count = Math.min(this.settings.batchSize, this.#count - from);
    return Array.from(this.#context.memory.view(BigInt64Array, this.#order + 8 * from, count), Number);
  }

  parameters(): Float32Array<ArrayBuffer> {
    return this.#context.read(Vector.Parameters);
  }

  state(): State {
    const slots = this.#slots.map((slot) => this.#context.read(slot));
    return { step: this.step, parameters: this.parameters(), slots, rate: this.rate };
  }

  restore(state: State): void {
    this.#context.write(Vector.Parameters, state.parameters);
    state.slots.forEach((memory, i) => this.#context.write(this.#slots[i], memory));
    this.#context.step = state.step;
    this.rate = state.rate;
  }

  #setOrder(epoch: number): void {
    if (epoch === this.#epoch) return;
    const { kernel } = this.#context.memory;
    kernel.epoch_order(BigInt(this.settings.seed), BigInt(epoch), this.#count, this.#order);
    this.#epoch = epoch;
  }
}
