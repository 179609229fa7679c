/** What the next run is to be: the settings as they stand on the page. */

import type { Dataset } from "../data/dataset.ts";
import { heldOut } from "../data/held_out.ts";
import { columnsIn, tableWith, type Table } from "../data/table.ts";
import { toy, TOYS, type Toy } from "../data/toys.ts";
import { host } from "../host/host.ts";
import type { Start } from "../host/types.ts";
import type { Optimizer, Squish } from "../core/names.ts";
import { DEFAULTS, OPTIMIZERS } from "../generated/tables.ts";
import type { Initializer } from "../core/names.ts";
import { fittingLoss, outputsOf, sizesOf, type Settings } from "../training/settings.ts";

export type Source = "digits" | Toy | "table";
export type StartFrom = Initializer | "fitting" | "page";

export interface Parts {
  readonly train: Dataset;
  readonly test: Dataset;
}

const POINTS = 500;
const TOY_RATE = 0.01;

export const isToy = (source: Source): source is Toy => (TOYS as readonly Source[]).includes(source);

export class Setup {
  readonly #kernel: WebAssembly.Module;

  source: Source = $state("digits");
  noise = $state(0.1);
  table: Table | null = $state.raw(null);
  target = $state("");
  parts: Parts | null = $state.raw(null);
  notes: readonly string[] = $state.raw([]);
  /** What is wrong with the data, in a sentence. */
  problem: string | null = $state(null);

  hidden = $state("16-16");
  /** Of the hidden layers; those beyond have the last one. */
  squishes: Squish[] = $state([DEFAULTS.hidden]);
  output: Squish = $state(DEFAULTS.oneOfMany);
  from: StartFrom = $state("fitting");
  seed = $state(0);
  optimizer: Optimizer = $state(DEFAULTS.descent);
  rate = $state<number>(OPTIMIZERS[DEFAULTS.descent].rate);
  batchSize = $state(32);
  l1 = $state(0);
  l2 = $state(0);
  dropout = $state(0);
  epochs = $state(10);
  endless = $state(false);

  constructor(kernel: WebAssembly.Module, start: Start) {
    this.#kernel = kernel;
    if (start.table) this.#take(tableWith(start.table.name, columnsIn(start.table)));
  }

  /** Hidden sizes, or what is wrong with them. */
  readonly layers: number[] | string = $derived.by(() => {
    try {
      return this.hidden.trim() === "" ? [] : sizesOf(this.hidden);
    } catch (problem) {
      return (problem as Error).message;
    }
  });

  squishOf(layer: number): Squish {
    return this.squishes[Math.min(layer, this.squishes.length - 1)];
  }
  setSquish(layer: number, squish: Squish): void {
    const layers = Math.max(layer + 1, this.layers.length);
    this.squishes = Array.from({ length: layers }, (_, i) => (i === layer ? squish : this.squishOf(i)));
  }

  /** Sizes and squishes for these data. Throws an `Error` with a plain message. */
  structure(data: Dataset): { sizes: number[]; squishes: Squish[] } {
    if (!Array.isArray(this.layers)) throw new Error(this.layers);
    return {
      sizes: [data.width, ...this.layers, outputsOf(data)],
      squishes: [...this.layers.map((_, layer) => this.squishOf(layer)), this.output],
    };
  }

  settings(data: Dataset): Settings {
    const { optimizer, rate, batchSize, l1, l2, dropout, seed } = this;
    const loss = fittingLoss(data, this.output);
    return { loss, optimizer, rate, batchSize: Math.min(batchSize, data.inputs.count), l1, l2, dropout, seed };
  }

  /** Takes other data; settings become what suits them. */
  choose(source: Source): void {
    this.source = source;
    this.parts = null;
    this.problem = null;
    this.notes = [];
    const digits = source === "digits";
    [this.hidden, this.squishes] = digits
      ? ["16-16", [DEFAULTS.hidden]]
      : [source === "table" ? "16" : "8-8", [DEFAULTS.spread]];
    this.batchSize = digits ? 32 : 10;
    this.setOptimizer(digits ? DEFAULTS.descent : DEFAULTS.optimizer);
    if (isToy(source)) this.rate = TOY_RATE;
    this.endless = isToy(source);
    this.epochs = digits ? 10 : 200;
    this.output = DEFAULTS.oneOfMany;
  }

  setOptimizer(optimizer: Optimizer): void {
    this.optimizer = optimizer;
    this.rate = OPTIMIZERS[optimizer].rate;
  }

  /** A table of the user's own; whether it can be learnt from. */
  async open(file: File): Promise<boolean> {
    try {
      this.#take(await host.table(file));
    } catch (problem) {
      this.problem = (problem as Error).message;
      return false;
    }
    this.choose("table");
    return this.read();
  }

  async setTarget(target: string): Promise<void> {
    this.target = target;
    await this.read();
  }

  /** What is learnt from and tested with, fetched or made. */
  async data(): Promise<Parts> {
    if (this.source === "digits") this.parts ??= await this.#digits();
    else if (isToy(this.source))
      this.parts = this.#split(toy(this.#kernel, this.source, POINTS, this.noise, this.seed));
    else if (this.source === "table" && !this.parts) await this.read();
    if (!this.parts) throw new Error(this.problem ?? "Choose a CSV file first.");
    return this.parts;
  }

  /** All 60,000 and 10,000; a single file has but a sample, most of which is then trained on. */
  async #digits(): Promise<Parts> {
    const [train, test] = await Promise.all([host.digits("train"), host.digits("test")]);
    if (train && test) return { train, test };
    if (!test)
      throw new Error("This file carries no digits to learn from. Take a toy shape, or a CSV file of your own.");
    return this.#split(test);
  }

  #split(data: Dataset): Parts {
    return heldOut(this.#kernel, data, this.seed);
  }

  #take(table: Table): void {
    this.table = table;
    this.target = table.columns.at(-1) ?? "";
  }

  /** The examples in the table, with the target as it is chosen; whether they can be learnt from. */
  async read(): Promise<boolean> {
    const { table, target } = this;
    const asked = (): boolean => this.table === table && this.target === target && this.source === "table";
    this.parts = null;
    this.problem = null;
    try {
      if (!table) throw new Error("Choose a CSV file first.");
      const { data, notes } = await table.examples(target);
      if (!asked()) return false; // another target was chosen in the meantime
      this.parts = this.#split(data);
      this.notes = notes;
      this.output = "labels" in data.targets ? DEFAULTS.oneOfMany : DEFAULTS.plain;
    } catch (problem) {
      if (asked()) this.problem = (problem as Error).message;
    }
    return this.problem === null;
  }
}
