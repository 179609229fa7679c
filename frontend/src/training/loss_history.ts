/** The losses of all batches of a run, however many, as a few hundred bins: each has the mean of its batches, the lowest and
 * the highest. Nothing is smoothed beyond that. */

export interface Bin {
  /** The losses before the steps from + 1 to `to`. */
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const MOST_BINS = 400;

export function binOf(from: number, losses: ArrayLike<number>): Bin {
  let [sum, low, high] = [0, Infinity, -Infinity];
  for (let i = 0; i < losses.length; i++) {
    sum += losses[i];
    low = Math.min(low, losses[i]);
    high = Math.max(high, losses[i]);
  }
  return { from, to: from + losses.length, mean: sum / losses.length, low, high };
}

export function joined(a: Bin, b: Bin): Bin {
  const [n, m] = [a.to - a.from, b.to - b.from];
  return {
    from: a.from,
    to: b.to,
    mean: (n * a.mean + m * b.mean) / (n + m),
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
  };
}

/** With one more bin; bins that have become narrow among many are joined in pairs. */
export function withBin(bins: readonly Bin[], bin: Bin): readonly Bin[] {
  if (bins.length < MOST_BINS) return [...bins, bin];
  const least = (2 * bin.to) / MOST_BINS;
  const fewer: Bin[] = [];
  for (const each of [...bins, bin]) {
    const last = fewer.at(-1);
    if (last && each.to - last.from <= least) fewer[fewer.length - 1] = joined(last, each);
    else fewer.push(each);
  }
  return fewer;
}

/** Without what came after this step. */
export const upTo = (bins: readonly Bin[], step: number): readonly Bin[] => bins.filter(({ to }) => to <= step);

/** The last step at which the loss was still near its lowest: where to go back to from a run that diverged. */
export function lastGood(bins: readonly Bin[]): number {
  const lowest = bins.reduce((low, { mean }) => Math.min(low, mean), Infinity);
  return bins.findLast(({ mean }) => mean <= 2 * lowest)?.from ?? 0;
}
