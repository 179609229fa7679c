/** States of a run to go back to: so many at most, thinned as it grows, the steps between them computed again. States where
 * something was changed (the start, an edit, another rate) are always kept, since from before them the way forks. */

import type { Run, State } from "./run.ts";

const MOST_STATES = 200;
const MOST_BYTES = 128 * 2 ** 20;

interface Kept {
  readonly state: State;
  readonly fork: boolean;
}

export class Timeline {
  #kept: Kept[] = [];
  #gap = 1;

  /** How many states are kept. */
  get length(): number {
    return this.#kept.length;
  }

  /** Whether the state at this step would be kept. */
  due(step: number): boolean {
    const last = this.#kept.at(-1);
    return !last || step >= last.state.step + this.#gap;
  }

  /** Keeps a state that is due. */
  add(state: State): void {
    this.#kept.push({ state, fork: false });
    this.#thin();
  }

  /** Something was changed: what came later is void, and from here it goes on. */
  fork(state: State): void {
    this.#kept = [...this.#kept.filter((kept) => kept.state.step < state.step), { state, fork: true }];
    this.#thin();
  }

  /** What came later than this step is void. */
  cut(step: number): void {
    this.#kept = this.#kept.filter((kept) => kept.state.step <= step);
  }

  /** The latest state at this step or before. */
  before(step: number): State {
    return this.#kept.findLast(({ state }) => state.step <= step)!.state;
  }

  /** The latest state that holds nothing but numbers; those after it go. */
  good(): State {
    const good = this.#kept.findLastIndex(({ state }) => state.parameters.every(Number.isFinite));
    this.#kept.length = Math.max(good, 0) + 1;
    return this.#kept[this.#kept.length - 1].state;
  }

  #thin(): void {
    while (this.#kept.length > this.#most()) {
      const fewer = this.#kept.filter(({ fork }, i) => fork || i % 2 === 0);
      this.#gap *= 2;
      if (fewer.length === this.#kept.length) return; // nothing but forks
      this.#kept = fewer;
    }
  }

  #most(): number {
    const { parameters, slots } = this.#kept[0].state;
    const bytes = parameters.byteLength * (1 + slots.length);
    return Math.max(2, Math.min(MOST_STATES, Math.floor(MOST_BYTES / bytes)));
  }
}

/** Brings the run to any step up to where it has been: from the nearest state before, the same way again. Goes on until
 * `enough` says so; returns whether it has arrived. */
export function goTo(run: Run, timeline: Timeline, step: number, enough: () => boolean): boolean {
  const nearest = timeline.before(step);
  if (run.step > step || run.step < nearest.step) run.restore(nearest);
  while (run.step < step && !enough()) run.advance(Math.min(step - run.step, run.stride));
  return run.step === step;
}
