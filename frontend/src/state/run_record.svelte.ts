/** What was seen of a run so far: its losses, its scores, and where something was changed by hand. */

import type { Score } from "../training/running_score.ts";
import { upTo, withBin, type Bin } from "../training/loss_history.ts";

const MOST_SCORES = 400;

export class RunRecord {
  bins: readonly Bin[] = $state.raw([]);
  /** In the order of steps. */
  scores: readonly Score[] = $state.raw([]);
  /** Steps at which something was changed by hand. */
  forks: readonly number[] = $state.raw([]);
  /** How far the run has been. */
  reach: number = $state(0);

  /** New losses; what was seen of the same steps before is void. */
  learnt(losses: Bin): void {
    this.bins = withBin(upTo(this.bins, losses.from), losses);
    this.scores = this.scores.filter(({ step }) => step <= losses.to);
    this.forks = this.forks.filter((step) => step <= losses.to);
    this.reach = losses.to;
  }

  /** A new score; those that lie closest are dropped where they become many. */
  tested(score: Score): void {
    const others = this.scores.filter(({ step }) => step !== score.step);
    this.scores = thinned([...others, score].sort((a, b) => a.step - b.step));
  }

  /** Here numbers were changed, and everything after is void. */
  fork(step: number): void {
    this.bins = upTo(this.bins, step);
    this.scores = this.scores.filter((score) => score.step < step);
    this.forks = [...this.forks.filter((fork) => fork < step), step];
    this.reach = step;
  }

  /** The mean loss of the batches just before a step, and the score at it, if they are known. */
  lossAt(step: number): number | null {
    return this.bins.findLast(({ to }) => to <= step)?.mean ?? null;
  }
  scoreAt(step: number): Score | null {
    return this.scores.findLast((score) => score.step <= step) ?? null;
  }
}

function thinned(scores: Score[]): Score[] {
  if (scores.length <= MOST_SCORES) return scores;
  const last = scores.length - 1;
  const gap = (2 * scores[last].step) / MOST_SCORES;
  let kept = -Infinity;
  return scores.filter(({ step }, i) => {
    if (step - kept < gap && i < last) return false;
    kept = step;
    return true;
  });
}
