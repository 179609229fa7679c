import { expect, test } from "vitest";
import { kernel } from "./kernel.ts";
import type { Dataset } from "../src/data/dataset.ts";
import { Architecture } from "../src/network/architecture.ts";
import { initial } from "../src/network/initializers.ts";
import { Gradients } from "../src/training/gradients.ts";
import type { FromWorker } from "../src/training/messages.ts";
import { Session } from "../src/training/session.ts";
import { Unit } from "../src/training/target_scaling.ts";

const architecture = new Architecture([2, 5, 1], ["tanh", "identity"]);
const start = initial(kernel, 0, architecture, "fitting");

/** Prices around 300,000, a sum of two inputs around 0. */
const COUNT = 60;
const inputs = Float32Array.from({ length: 2 * COUNT }, (_, i) => Math.sin(3 * i));
const prices: Dataset = {
  name: "prices",
  inputs: { values: inputs, scale: 1, count: COUNT },
  targets: {
    rows: Float32Array.from({ length: COUNT }, (_, i) => 3e5 + 4e4 * inputs[2 * i] - 2e4 * inputs[2 * i + 1]),
  },
  width: 2,
  schema: { target: "price" },
};
const unit = new Unit(architecture, prices);
const all = Array.from({ length: COUNT }, (_, i) => i);
const rowsOf = ({ targets }: Dataset): Float32Array => (targets as { rows: Float32Array }).rows;
const lossOf = (data: Dataset, parameters: Float32Array): number =>
  new Gradients(kernel, architecture, data, "squared_error", COUNT).loss(parameters, all);
/** What a price of the standardised table is worth. */
const spread = (() => {
  const [low, high] = rowsOf(prices);
  const [a, b] = rowsOf(unit.standardised(prices));
  return (high - low) / (b - a);
})();

test("targets are learnt as numbers around 0, of spread 1", () => {
  const rows = rowsOf(unit.standardised(prices));
  expect(rows.reduce((sum, value) => sum + value, 0) / COUNT).toBeCloseTo(0, 5);
  expect(rows.reduce((sum, value) => sum + value ** 2, 0) / COUNT).toBeCloseTo(1, 5);
});

test("the network that is told answers in the unit of the table", () => {
  const learnt = lossOf(unit.standardised(prices), start);
  const told = lossOf(prices, unit.told(start.slice()));
  expect(told / spread ** 2 / learnt).toBeCloseTo(1, 4);
});

test("what is told is learnt again as it was", () => {
  const back = unit.learnt(unit.told(start.slice()));
  back.forEach((value, i) => expect(value).toBeCloseTo(start[i], 4));
});

test("the gradient that is told is that of the told parameters, in squared spreads", () => {
  const gradient = (data: Dataset, parameters: Float32Array) =>
    new Gradients(kernel, architecture, data, "squared_error", COUNT).of(parameters, all).slopes;
  const told = unit.toldGradient(gradient(unit.standardised(prices), start));
  const own = gradient(prices, unit.told(start.slice()));
  told.forEach((slope, i) => expect((own[i] / spread ** 2 - slope) / (Math.abs(slope) + 1e-6)).toBeCloseTo(0, 2));
});

test("classes are left as they are, and so are outputs that a squish bounds", () => {
  const classes = { ...prices, targets: { labels: new Int32Array(COUNT) } };
  for (const none of [
    new Unit(architecture, classes),
    new Unit(new Architecture([2, 5, 1], ["tanh", "sigmoid"]), prices),
  ]) {
    expect(none.standardised(prices)).toBe(prices);
    expect(none.told(start.slice())).toEqual(start);
  }
});

test("a run on prices goes downhill, and the page hears of it in prices", () => {
  const heard: FromWorker[] = [];
  const due: (() => void)[] = [];
  const session = new Session(
    (message) => heard.push(structuredClone(message)),
    (work) => due.push(work),
  );
  session.take({ kind: "kernel", module: kernel });
  session.take({ kind: "data", train: prices, test: prices });
  const settings = { optimizer: "adam", rate: 0.02, batchSize: 10, l1: 0, l2: 0, dropout: 0, seed: 0 } as const;
  const [sizes, squishes] = [architecture.sizes, architecture.activations];
  const from = { rule: "fitting", seed: 0 } as const;
  session.take({ kind: "start", run: 1, sizes, squishes, from, settings: { ...settings, loss: "squared_error" } });
  const work = (): void => {
    for (let i = 0; i < 500 && due.length; i++) {
      due.shift()!();
      session.take({ kind: "frame" });
    }
  };
  work();
  const last = <K extends FromWorker["kind"]>(kind: K): FromWorker & { kind: K } =>
    heard.findLast((message): message is FromWorker & { kind: K } => message.kind === kind)!;
  const [before, { move }] = [last("snapshot").parameters, last("preview")];
  session.take({ kind: "play", order: 1, until: 1, aFrame: Infinity });
  work();
  last("snapshot").parameters.forEach((after, i) => expect((after - before[i]) / (move[i] || 1)).toBeCloseTo(1, 1));
  session.take({ kind: "play", order: 2, until: 1500, aFrame: Infinity });
  work();
  expect(heard.filter(({ kind }) => kind === "diverged" || kind === "problem")).toEqual([]);
  expect(Math.sqrt(lossOf(prices, last("snapshot").parameters))).toBeLessThan(2000);
});
