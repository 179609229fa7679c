/** What the page and its training worker say to each other. */

import type { Dataset } from "../data/dataset.ts";
import type { Squish } from "../core/names.ts";
import type { Initializer } from "../core/names.ts";
import type { Score } from "./running_score.ts";
import type { Bin } from "./loss_history.ts";
import type { Settings } from "./settings.ts";

/** Orders are numbered, so that an answer to an older one is known for what it is. */
export type ToWorker =
  | { kind: "kernel"; module: WebAssembly.Module }
  /** What the runs from now on learn from, and are tested with. */
  | { kind: "data"; train: Dataset; test: Dataset }
  | {
      kind: "start";
      run: number;
      sizes: readonly number[];
      squishes: readonly Squish[];
      from: StartValues;
      settings: Settings;
    }
  /** On to this step, so many a frame, or (Infinity) as fast as it goes. */
  | { kind: "play"; order: number; until: number; aFrame: number }
  | { kind: "pause"; order: number }
  /** The next phase of the next sample. */
  | { kind: "sample" }
  /** To any step made so far. */
  | { kind: "seek"; order: number; step: number }
  | { kind: "rate"; rate: number }
  /** Other parameters, by hand, from the present step on. */
  | { kind: "edit"; edit: number; parameters: Vector }
  /** The page has shown the last snapshot and can take another. */
  | { kind: "frame" };

/** Where the numbers start: drawn by a rule, or those of another network. */
export type StartValues = { rule: Initializer | "fitting"; seed: number } | { parameters: Vector };

export type FromWorker = { run: number } & (
  | Snapshot
  | { kind: "score"; score: Score }
  | Preview
  | Sample
  /** After this step the loss is no finite number, or the parameters are none. */
  | { kind: "diverged"; step: number }
  | { kind: "problem"; message: string }
);

export type Vector = Float32Array<ArrayBuffer>;

export interface Snapshot {
  kind: "snapshot";
  step: number;
  /** The number of the last edit that is in it. */
  edit: number;
  parameters: Vector;
  /** The losses since the snapshot before, if steps were made. */
  losses: Bin | null;
  playing: boolean;
  /** The last order that was heard. */
  order: number;
}

/** What the next step would do: the gradient of its batch, and by how much each parameter would move. */
export interface Preview {
  kind: "preview";
  step: number;
  examples: number;
  loss: number;
  gradient: Vector;
  move: Vector;
}

export type Phase = "forward" | "loss" | "backward" | "update";

/** A look at one example of the batch; its gradient comes with the phase backward, the batch's with the update. */
export interface Sample {
  kind: "sample";
  phase: Phase;
  /** Which row of the data, and which of how many in this batch. */
  example: number;
  position: number;
  of: number;
  loss: number;
  gradient: Vector | null;
  move: Vector | null;
}
