/** A network opened in the kernel for one purpose; the structures that `kernel/kernel.h` names, laid into its memory. */

import type { Architecture } from "../network/architecture.ts";
import { Memory } from "./memory.ts";
import { LOSSES, OPTIMIZERS } from "../generated/tables.ts";
import {
  InputKind,
  LOSS_NAMES,
  OPTIMIZER_NAMES,
  Purpose,
  SQUISHES,
  Vector,
  type Loss,
  type Optimizer,
} from "./names.ts";

const PLAN_BYTES = 104;
const INPUTS_BYTES = 32;

/** How a step is made. Definitions and defaults are PyTorch's. */
export interface Plan {
  batchSize: number;
  loss: Loss;
  optimizer: Optimizer;
  l1?: number;
  l2?: number;
  /** The gradient is shortened to this length; 0: never. */
  clipNorm?: number;
  dropout?: number[];
  seed?: number;
}

/** Inputs as they are stored: bytes or floats, row by row; each counts times `scale`. */
export interface Rows {
  values: Uint8Array | Float32Array;
  scale: number;
  count: number;
}

/** What the outputs should be: a class for each row, or fan_out numbers. */
export type Targets = { labels: Int32Array } | { rows: Float32Array };

export class Context {
  readonly memory: Memory;
  readonly architecture: Architecture;
  readonly #at: number;
  readonly #flat: number;
  readonly #total: number;

  constructor(module: WebAssembly.Module, architecture: Architecture, purpose: Purpose, plan: Plan, sparse = false) {
    this.memory = new Memory(module);
    this.architecture = architecture;
    this.#total = architecture.total;
    const sizes = this.memory.put(Int32Array, architecture.sizes);
    const squishes = this.memory.put(
      Int32Array,
      architecture.activations.map((squish) => SQUISHES.indexOf(squish)),
    );
    const dropout = plan.dropout ? this.memory.put(Float64Array, [...plan.dropout, 0]) : 0;
    const made = this.#plan(purpose, plan, sparse);
    const { kernel } = this.memory;
    this.#at = kernel.open(this.memory.lend(kernel.bytes(made, sizes, dropout)), made, sizes, squishes, dropout, 0);
    this.#flat = this.memory.lend(4 * this.#total);
  }

  #plan(purpose: Purpose, plan: Plan, sparse: boolean): number {
    const at = this.memory.lend(PLAN_BYTES);
    const view = this.memory.data(at, PLAN_BYTES);
    [
      purpose,
      this.architecture.activations.length,
      plan.batchSize,
      sparse ? 1 : 0,
      LOSS_NAMES.indexOf(plan.loss),
      OPTIMIZER_NAMES.indexOf(plan.optimizer),
    ].forEach((value, i) => view.setInt32(4 * i, value, true));
    [
      ...LOSSES[plan.loss].settings,
      ...OPTIMIZERS[plan.optimizer].settings,
      plan.l1 ?? 0,
      plan.l2 ?? 0,
      plan.clipNorm ?? 0,
    ].forEach((value, i) => view.setFloat64(24 + 8 * i, value, true));
    view.setBigUint64(96, BigInt(plan.seed ?? 0), true);
    return at;
  }

  /** The address of inputs that lie at `values` (and lists' positions and starts) in this memory. */
  inputs(kind: InputKind, scale: number, count: number, values: number, positions = 0, starts = 0): number {
    const at = this.memory.lend(INPUTS_BYTES);
    const view = this.memory.data(at, INPUTS_BYTES);
    view.setInt32(0, kind, true);
    view.setFloat32(4, scale, true);
    view.setBigInt64(8, BigInt(count), true);
    [values, positions, starts].forEach((pointer, i) => view.setInt32(16 + 4 * i, pointer, true));
    return at;
  }

  /** The address of a copy of these rows. */
  dense(rows: Rows): number {
    const bytes = rows.values instanceof Uint8Array;
    const values = bytes ? this.memory.put(Uint8Array, rows.values) : this.memory.put(Float32Array, rows.values);
    return this.inputs(bytes ? InputKind.DenseBytes : InputKind.DenseFloats, rows.scale, rows.count, values);
  }

  targets(targets: Targets): number {
    const labels = "labels" in targets ? this.memory.put(Int32Array, targets.labels) : 0;
    const rows = "rows" in targets ? this.memory.put(Float32Array, targets.rows) : 0;
    return this.memory.put(Int32Array, [labels, rows, 0]);
  }

  write(vector: Vector, flat: Float32Array): void {
    this.memory.view(Float32Array, this.#flat, this.#total).set(flat);
    this.memory.kernel.write(this.#at, vector, this.#flat);
  }

  /** A copy of a flat vector. */
  read(vector: Vector): Float32Array<ArrayBuffer> {
    this.memory.kernel.read(this.#at, vector, this.#flat);
    return this.memory.view(Float32Array, this.#flat, this.#total).slice();
  }

  get step(): number {
    return this.memory.kernel.step(this.#at);
  }
  set step(step: number) {
    this.memory.kernel.set_step(this.#at, step);
  }

  setExamples(inputs: number, targets: number): void {
    this.memory.kernel.set_examples(this.#at, inputs, targets);
  }
  forward(inputs: number, outputs: number): void {
    this.memory.kernel.forward(this.#at, inputs, outputs);
  }
  trace(inputs: number, outputs: number): void {
    this.memory.kernel.trace(this.#at, inputs, outputs);
  }
  gradient(): number {
    return this.memory.kernel.gradient(this.#at);
  }
  run(order: number, count: number, rates: number, first: number, batches: number, losses: number): number {
    return this.memory.kernel.run(this.#at, order, count, rates, first, batches, losses);
  }
}
