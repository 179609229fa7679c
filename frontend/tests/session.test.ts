/** What the training worker says, driven by hand: no worker, no clock but the slices that are asked for. */

import { beforeEach, expect, test } from "vitest";
import { kernel } from "./kernel.ts";
import { pictures } from "./pictures.ts";
import { heldOut } from "../src/data/held_out.ts";
import type { Squish } from "../src/core/names.ts";
import type { FromWorker, Sample, Snapshot, ToWorker } from "../src/training/messages.ts";
import { Session } from "../src/training/session.ts";
import type { Settings } from "../src/training/settings.ts";

const SETTINGS: Settings = {
  ...{ loss: "cross_entropy", optimizer: "sgd", rate: 0.5, batchSize: 8, l1: 0, l2: 0, dropout: 0, seed: 5 },
};

class Listener {
  readonly heard: FromWorker[] = [];
  readonly #due: (() => void)[] = [];
  readonly #session = new Session(
    (message) => this.heard.push(structuredClone(message)),
    (work) => this.#due.push(work),
  );

  constructor(settings: Partial<Settings> = {}, output: Squish = "softmax") {
    this.say({ kind: "kernel", module: kernel });
    this.say({ kind: "data", ...heldOut(kernel, pictures(50), 0) });
    const from = { rule: "fitting", seed: 1 } as const;
    const [sizes, squishes] = [[24, 6, 3], ["tanh", output] as const];
    this.say({ kind: "start", run: 1, sizes, squishes, from, settings: { ...SETTINGS, ...settings } });
    this.work();
  }

  say(message: ToWorker): void {
    this.#session.take(message);
  }

  /** All slices there are, or some; frames are asked for in between. */
  work(slices = 1000): void {
    for (let i = 0; i < slices && this.#due.length; i++) {
      this.#due.shift()!();
      this.say({ kind: "frame" });
    }
  }

  do(message: ToWorker): void {
    this.say(message);
    this.work();
  }

  all<K extends FromWorker["kind"]>(kind: K): (FromWorker & { kind: K })[] {
    return this.heard.filter((message): message is FromWorker & { kind: K } => message.kind === kind);
  }
  last(): Snapshot {
    return this.all("snapshot").at(-1)!;
  }
}

let order = 0;
const play = (until: number, aFrame = Infinity): ToWorker => ({ kind: "play", order: ++order, until, aFrame });
const seek = (step: number): ToWorker => ({ kind: "seek", order: ++order, step });

let page: Listener;
beforeEach(() => {
  page = new Listener();
});

test("stands at step 0 first, with its score and what the next step would do", () => {
  expect(page.last()).toMatchObject({ step: 0, edit: 0, losses: null, playing: false });
  expect(page.all("score")[0].score.step).toBe(0);
  expect(page.all("preview").at(-1)).toMatchObject({ step: 0, examples: 8 });
});

test("plays to the step asked for, and learns", () => {
  page.do(play(500));
  expect(page.last()).toMatchObject({ step: 500, playing: false, order });
  expect(page.all("score").at(-1)!.score).toEqual({ step: 500, value: 1 });
  const bins = page.all("snapshot").flatMap(({ losses }) => losses ?? []);
  expect(bins[0].from).toBe(0);
  expect(bins.at(-1)!.to).toBe(500);
  bins.slice(1).forEach((bin, i) => expect(bin.from).toBe(bins[i].to));
});

test("the step is what the preview said", () => {
  page.do(play(3));
  const { gradient, move, loss } = page.all("preview").at(-1)!;
  const before = page.last().parameters;
  page.do(play(4));
  const after = page.last();
  expect(after.losses!.mean).toBeCloseTo(loss, 5);
  move.forEach((by, i) => {
    expect(by).toBe(Math.fround(after.parameters[i] - before[i]));
    expect(by).toBeCloseTo(-0.5 * gradient[i], 5);
  });
});

test("goes back to any step and on again with the same bits", () => {
  page.do(play(60));
  const end = page.last().parameters;
  page.do(seek(37));
  const there = page.last();
  expect(there).toMatchObject({ step: 37, losses: null });
  page.do(play(60));
  expect(page.last().parameters).toEqual(end);
  const again = new Listener();
  again.do(play(37));
  expect(again.last().parameters).toEqual(there.parameters);
});

test("never seeks beyond where it has been", () => {
  page.do(play(10));
  page.do(seek(99));
  expect(page.last().step).toBe(10);
});

test("pauses between two slices", () => {
  page.say(play(Infinity));
  page.work(3);
  page.say({ kind: "pause", order: ++order });
  const { step, playing } = page.last();
  page.work();
  expect(playing).toBe(false);
  expect(page.last().step).toBe(step);
});

test("makes so many steps a frame, each shown", () => {
  page.do(play(12, 4));
  expect(page.all("snapshot").map(({ step }) => step)).toEqual([0, 4, 8, 12]);
});

test("takes in numbers changed by hand, and a smaller rate, and remembers where", () => {
  page.do(play(5));
  const parameters = page.last().parameters.map((value) => value / 2);
  page.do({ kind: "edit", edit: 1, parameters: parameters.slice() });
  expect(page.last()).toMatchObject({ step: 5, edit: 1, parameters });
  page.do({ kind: "rate", rate: 0.1 });
  page.do(play(9));
  const end = page.last().parameters;
  page.do(seek(2));
  page.do(seek(9));
  expect(page.last().parameters).toEqual(end);
  page.do(seek(5));
  expect(page.last().parameters).toEqual(parameters);
});

test("walks through a step: forward, loss and backward of each example, then the update", () => {
  const batch = new Listener({ batchSize: 2 });
  for (let i = 0; i < 7; i++) batch.do({ kind: "sample" });
  const walked = batch.all("sample");
  expect(walked.map(({ phase, position }) => `${phase} ${position}`)).toEqual([
    "forward 0",
    "loss 0",
    "backward 0",
    "forward 1",
    "loss 1",
    "backward 1",
    "update 2",
  ]);
  const [first, second, mean]: Sample[] = walked.filter(({ gradient }) => gradient);
  mean.gradient!.forEach((g, i) => expect(g).toBeCloseTo((first.gradient![i] + second.gradient![i]) / 2, 5));
  expect(batch.last().step).toBe(1);
  const plain = new Listener({ batchSize: 2 });
  plain.do(play(1));
  expect(batch.last().parameters).toEqual(plain.last().parameters);
});

test("a run that diverges stops at the last good step", () => {
  const wild = new Listener({ rate: 1e20, loss: "squared_error" }, "identity");
  wild.do(play(Infinity));
  const [{ step }] = wild.all("diverged");
  expect(wild.last().step).toBeLessThanOrEqual(step);
  expect(wild.last().parameters.every(Number.isFinite)).toBe(true);
  wild.do({ kind: "rate", rate: 0.1 });
  wild.do(seek(0));
  wild.do(play(20));
  expect(wild.last().step).toBe(20);
});

test("says what it cannot do", () => {
  page.say({
    kind: "start",
    run: 2,
    sizes: [24, 0],
    squishes: ["softmax"],
    from: { rule: "zeros", seed: 0 },
    settings: SETTINGS,
  });
  expect(page.all("problem")[0].message).toContain("sizes 24-0");
});
