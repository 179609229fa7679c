/** The kernel's numbers for names, in its own order (`kernel/kernel.h`); the Python side lists the same. */

export const SQUISHES = [
  "identity",
  "sigmoid",
  "tanh",
  "relu",
  "leaky_relu",
  "elu",
  "selu",
  "softplus",
  "gelu",
  "gelu_tanh",
  "silu",
  "mish",
  "hard_sigmoid",
  "step",
  "softmax",
] as const;
export type Squish = (typeof SQUISHES)[number];

/** Squishes whose activations are never below zero: a disc can be filled by them. */
export const NEVER_NEGATIVE: ReadonlySet<Squish> = new Set<Squish>([
  "sigmoid",
  "relu",
  "softplus",
  "hard_sigmoid",
  "step",
  "softmax",
]);

/** Squishes whose activations lie between 0 and 1. */
export const UP_TO_ONE: ReadonlySet<Squish> = new Set<Squish>(["sigmoid", "hard_sigmoid", "step", "softmax"]);

export const LOSSES = ["squared_error", "absolute_error", "huber", "cross_entropy", "binary_cross_entropy"] as const;
export type Loss = (typeof LOSSES)[number];

export const OPTIMIZERS = ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad"] as const;
export type Optimizer = (typeof OPTIMIZERS)[number];

/** What a network is opened for. */
export const Purpose = { Forward: 0, Trace: 1, Gradient: 2, Train: 3 } as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** How inputs are stored: dense rows, or lists of what is not zero with positions of two bytes or four. */
export const InputKind = { DenseBytes: 0, DenseFloats: 1, ShortBytes: 2, ShortFloats: 3, LongFloats: 4 } as const;
export type InputKind = (typeof InputKind)[keyof typeof InputKind];

/** The flat vectors: the parameters, their gradient, and the optimizer's memory. */
export const Vector = { Parameters: 0, Slopes: 1, FirstSlot: 2, SecondSlot: 3 } as const;
export type Vector = (typeof Vector)[keyof typeof Vector];
