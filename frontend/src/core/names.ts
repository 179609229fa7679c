/** The names that the core knows, in its own order. Each is listed once, in Python: `generated/tables.ts` is written from
 * there by `kernel/generate.py`. */

import { ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS } from "../generated/tables.ts";

export type Squish = keyof typeof ACTIVATIONS;
export type Loss = keyof typeof LOSSES;
export type Optimizer = keyof typeof OPTIMIZERS;
export type Initializer = (typeof INITIALIZERS)[number];

export const SQUISHES = Object.keys(ACTIVATIONS) as Squish[];
export const LOSS_NAMES = Object.keys(LOSSES) as Loss[];
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as Optimizer[];

const lowest = (squish: Squish): number | null => ACTIVATIONS[squish].bounds[0];
const highest = (squish: Squish): number | null => ACTIVATIONS[squish].bounds[1];

/** Activations that are never below zero: a disc can be filled by them. */
export const neverNegative = (squish: Squish): boolean => (lowest(squish) ?? -1) >= 0;

/** Activations that lie between 0 and 1. */
export const upToOne = (squish: Squish): boolean => neverNegative(squish) && highest(squish) === 1;

/** Activations that lie between -1 and 1, or between 0 and 1. */
export const bounded = (squish: Squish): boolean => (lowest(squish) ?? -2) >= -1 && highest(squish) === 1;

/** The activation of this name, alias or spelling ("LeakyReLU", "swish"); undefined if there is none. */
export function activationOf(name: string): Squish | undefined {
  const wanted = spelling(name);
  return SQUISHES.find((squish) =>
    [squish, ...ACTIVATIONS[squish].aliases].some((known) => spelling(known) === wanted),
  );
}

const spelling = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** What a network is opened for. */
export const Purpose = { Forward: 0, Trace: 1, Gradient: 2, Train: 3 } as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** How inputs are stored: dense rows, or lists of what is not zero with positions of two bytes or four. */
export const InputKind = { DenseBytes: 0, DenseFloats: 1, ShortBytes: 2, ShortFloats: 3, LongFloats: 4 } as const;
export type InputKind = (typeof InputKind)[keyof typeof InputKind];

/** The flat vectors: the parameters, their gradient, and the optimizer's memory. */
export const Vector = { Parameters: 0, Slopes: 1, FirstSlot: 2, SecondSlot: 3 } as const;
export type Vector = (typeof Vector)[keyof typeof Vector];
