/** One step of a run, walked through slowly: for each example of its batch forward, loss, backward; then the update that
 * their mean gradient makes. */

import type { Phase, Sample } from "./messages.ts";
import type { Gradient } from "./gradients.ts";

const AFTER = {
  forward: "loss",
  loss: "backward",
  backward: "forward",
} as const satisfies Partial<Record<Phase, Phase>>;

export class Walk {
  readonly #examples: readonly number[];
  readonly #gradientOf: (examples: readonly number[]) => Gradient;
  #phase: keyof typeof AFTER = "forward";
  #position = 0;
  #gradient: Gradient | null = null;

  constructor(examples: readonly number[], gradientOf: (examples: readonly number[]) => Gradient) {
    this.#examples = examples;
    this.#gradientOf = gradientOf;
  }

  /** The next phase; null after the last example, when it is time for the update. */
  next(): Sample | null {
    if (this.#position === this.#examples.length) return null;
    const [example, position, phase] = [this.#examples[this.#position], this.#position, this.#phase];
    this.#gradient = phase === "forward" ? this.#gradientOf([example]) : this.#gradient;
    const { loss, slopes } = this.#gradient!;
    if (phase === "backward") this.#position++;
    this.#phase = AFTER[phase];
    const gradient = phase === "backward" ? slopes : null;
    return { kind: "sample", phase, example, position, of: this.#examples.length, loss, gradient, move: null };
  }
}
