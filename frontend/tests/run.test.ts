/** A run is a function of its settings: every way to a step gives the same bits. */

import { describe, expect, test } from "vitest";
import { kernel } from "./kernel.ts";
import { pictures } from "./pictures.ts";
import { toy } from "../src/data/toys.ts";
import { OPTIMIZER_NAMES, type Optimizer } from "../src/core/names.ts";
import { Architecture } from "../src/network/architecture.ts";
import { initial } from "../src/network/initializers.ts";
import { Gradients } from "../src/training/gradients.ts";
import { Run } from "../src/training/run.ts";
import type { Settings } from "../src/training/settings.ts";
import { goTo, Timeline } from "../src/training/timeline.ts";

const data = pictures(70);
const architecture = new Architecture([24, 8, 3], ["relu", "softmax"]);

const settings = (optimizer: Optimizer, more: Partial<Settings> = {}): Settings => ({
  ...{ loss: "cross_entropy", optimizer, rate: 0.05, batchSize: 16, l1: 0, l2: 0, dropout: 0, seed: 7 },
  ...more,
});
const start = (): Float32Array => initial(kernel, 3, architecture, "fitting");
const begun = (made: Settings): Run => new Run(kernel, architecture, data, made, start());

function make(run: Run, steps: number): number[] {
  const losses: number[] = [];
  while (losses.length < steps) losses.push(...run.advance(steps - losses.length));
  return losses;
}

describe.each(OPTIMIZER_NAMES)("%s", (optimizer) => {
  test("the same seed gives the same bits, whatever the strides", () => {
    const [one, other] = [begun(settings(optimizer)), begun(settings(optimizer))];
    make(one, 23);
    for (let step = 0; step < 23; step++) make(other, 1);
    expect(one.step).toBe(23);
    expect(one.state()).toEqual(other.state());
  });

  test("goes on from a state as if it had never stopped", () => {
    const whole = begun(settings(optimizer, { dropout: 0.3, l2: 0.001 }));
    make(whole, 9);
    const middle = whole.state();
    make(whole, 12);
    const resumed = begun(settings(optimizer, { dropout: 0.3, l2: 0.001 }));
    make(resumed, 2);
    resumed.restore(middle);
    make(resumed, 12);
    expect(resumed.state()).toEqual(whole.state());
  });
});

test("another seed gives another order", () => {
  const [one, other] = [begun(settings("sgd")), begun(settings("sgd", { seed: 8 }))];
  expect(one.nextBatch()).not.toEqual(other.nextBatch());
  expect(new Set(one.nextBatch()).size).toBe(16);
});

test("an epoch looks at every example once, in a last batch that may be smaller", () => {
  const run = begun(settings("sgd"));
  expect(run.stepsPerEpoch).toBe(5);
  const seen: number[] = [];
  for (let step = 0; step < 5; step++) {
    seen.push(...run.nextBatch());
    make(run, 1);
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 70 }, (_, i) => i));
});

test("lists of what is not zero learn what dense rows do", () => {
  const dense = { ...data, inputs: { ...data.inputs, values: Float32Array.from(data.inputs.values) } };
  const [one, other] = [begun(settings("sgd")), new Run(kernel, architecture, dense, settings("sgd"), start())];
  make(one, 20);
  make(other, 20);
  const far = one.parameters().map((value, i) => Math.abs(value - other.parameters()[i]));
  expect(Math.max(...far)).toBeLessThan(1e-5);
});

test("learns the spiral", () => {
  const spiral = toy(kernel, "spiral", 200, 0, 0);
  const structure = new Architecture([2, 24, 24, 2], ["tanh", "tanh", "softmax"]);
  const parameters = initial(kernel, 0, structure, "fitting");
  const run = new Run(kernel, structure, spiral, settings("adam", { rate: 0.01, batchSize: 10 }), parameters);
  make(run, 20 * 150);
  const losses = make(run, 20);
  expect(losses.reduce((sum, loss) => sum + loss) / 20).toBeLessThan(0.1);
});

test("stops before the step of a loss that is not finite", () => {
  const table = { ...data, targets: { rows: new Float32Array(70).fill(1e30) } };
  const structure = new Architecture([24, 1], ["identity"]);
  const wild = settings("sgd", { loss: "squared_error", rate: 1e9 });
  const run = new Run(kernel, structure, table, wild, new Float32Array(25));
  const losses = run.advance(5);
  expect(Number.isFinite(losses.at(-1))).toBe(false);
  expect(run.step).toBe(losses.length - 1);
});

test("the step of plain descent is the rate times the gradient of its batch", () => {
  const run = begun(settings("sgd", { rate: 0.5 }));
  make(run, 3);
  const before = run.parameters();
  const gradients = new Gradients(kernel, architecture, data, "cross_entropy", 16);
  const { loss, slopes } = gradients.of(before, run.nextBatch());
  const [told] = make(run, 1);
  expect(told).toBeCloseTo(loss, 5);
  run.parameters().forEach((after, i) => expect(after).toBeCloseTo(before[i] - 0.5 * slopes[i], 5));
});

describe("the timeline", () => {
  test.each([0, 1, 250, 777, 999, 1000])("computes step %i again, bit by bit", (step) => {
    const [run, timeline, states] = [begun(settings("adam")), new Timeline(), new Map<number, Float32Array>()];
    timeline.fork(run.state());
    states.set(0, run.parameters());
    while (run.step < 1000) {
      make(run, 1);
      states.set(run.step, run.parameters());
      if (timeline.due(run.step)) timeline.add(run.state());
    }
    expect(timeline.length).toBeGreaterThan(90);
    expect(timeline.length).toBeLessThanOrEqual(200);
    expect(goTo(run, timeline, step, () => false)).toBe(true);
    expect(run.parameters()).toEqual(states.get(step));
  });

  test("never computes across a change", () => {
    const [run, timeline] = [begun(settings("sgd")), new Timeline()];
    timeline.fork(run.state());
    make(run, 10);
    run.restore({ ...run.state(), parameters: new Float32Array(start()), rate: 0.01 });
    timeline.fork(run.state());
    make(run, 10);
    const wanted = run.parameters();
    goTo(run, timeline, 3, () => false);
    goTo(run, timeline, 20, () => false);
    expect(run.rate).toBe(0.01);
    expect(run.parameters()).toEqual(wanted);
  });

  test("keeps few states of large networks", () => {
    const timeline = new Timeline();
    const large = new Float32Array(4 * 2 ** 20); // 16 MB
    for (let step = 0; step < 100; step++)
      if (timeline.due(step)) timeline.add({ step, parameters: large, slots: [large], rate: 0.1 });
    expect(timeline.length).toBeLessThanOrEqual(4);
    expect(timeline.before(99).step).toBeGreaterThan(0);
  });
});
