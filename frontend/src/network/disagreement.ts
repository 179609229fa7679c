/** Where two networks give other answers to the same examples. */

import type { Examination } from "./evaluation.ts";

export interface Disagreement {
  /** The examples, in their order. */
  readonly indices: readonly number[];
  /** On how many of them only a is right, only b, or neither. */
  readonly onlyA: number;
  readonly onlyB: number;
  readonly neither: number;
}

export function disagreement(a: Examination, b: Examination): Disagreement {
  const [wrongA, wrongB] = [new Set(a.wrong), new Set(b.wrong)];
  const indices = [...a.taken.keys()].filter((i) => a.taken[i] !== b.taken[i]);
  const count = (which: (i: number) => boolean): number => indices.filter(which).length;
  return {
    indices,
    onlyA: count((i) => !wrongA.has(i)),
    onlyB: count((i) => !wrongB.has(i)),
    neither: count((i) => wrongA.has(i) && wrongB.has(i)),
  };
}

/** The share that is right, or for measurements the share of their variance that is explained. */
export const figureOf = ({ accuracy, rSquared }: Examination): number | null => accuracy ?? rSquared;
