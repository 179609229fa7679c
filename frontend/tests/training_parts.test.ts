/** Losses in bins, settings at the door, fields, the names of knobs. */

import { describe, expect, test } from "vitest";
import { kernel } from "./kernel.ts";
import { someNetwork } from "./networks.ts";
import { pictures } from "./pictures.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Tracer } from "../src/network/trace.ts";
import { extentOf, Fields } from "../src/training/activation_fields.ts";
import { knobName, largestPlaces } from "../src/training/largest_changes.ts";
import { binOf, lastGood, upTo, withBin, type Bin } from "../src/training/loss_history.ts";
import { checkRoom, fittingLoss, sizesOf, structureOf, type Settings } from "../src/training/settings.ts";

const SETTINGS: Settings = {
  ...{ loss: "cross_entropy", optimizer: "adam", rate: 0.1, batchSize: 32, l1: 0, l2: 0, dropout: 0, seed: 0 },
};

describe("losses", () => {
  test("stay few, and lose neither a step nor their mean", () => {
    let bins: readonly Bin[] = [];
    const losses = Array.from({ length: 5000 }, (_, i) => Math.sin(i) + 2);
    for (let i = 0; i < losses.length; i += 5) bins = withBin(bins, binOf(i, losses.slice(i, i + 5)));
    expect(bins.length).toBeLessThanOrEqual(400);
    expect(bins.length).toBeGreaterThan(150);
    bins.slice(1).forEach((bin, i) => expect(bin.from).toBe(bins[i].to));
    const sum = bins.reduce((all, { from, to, mean }) => all + (to - from) * mean, 0);
    expect(sum).toBeCloseTo(
      losses.reduce((all, loss) => all + loss),
      6,
    );
    expect(Math.max(...bins.map(({ high }) => high))).toBe(Math.max(...losses));
  });

  test("are cut where the run went back to", () => {
    const bins = [binOf(0, [3]), binOf(1, [2, 2]), binOf(3, [1])];
    expect(upTo(bins, 3).map(({ to }) => to)).toEqual([1, 3]);
  });

  test("tell where a run was last well", () => {
    expect(lastGood([binOf(0, [3]), binOf(10, [1]), binOf(20, [1.5]), binOf(30, [40]), binOf(40, [4000])])).toBe(20);
    expect(lastGood([])).toBe(0);
  });
});

describe("settings", () => {
  test.each([
    ["784-16-16-10", [784, 16, 16, 10]],
    [" 8, 8 ", [8, 8]],
    ["30", [30]],
  ])("read %j as sizes", (text, sizes) => expect(sizesOf(text)).toEqual(sizes));

  test.each(["16-", "x-y", "0", "1.5", ""].slice(1))("refuse %j", (text) => {
    expect(() => sizesOf(text)).toThrow("whole numbers from 1 up");
  });

  test("refuse what would not fit, with its numbers and megabytes, before anything is allocated", () => {
    expect(() => checkRoom([784, 100_000, 100_000, 10], SETTINGS, pictures(10))).toThrow(
      /784-100000-100000-10 has 10,079,600,010 numbers; to train it takes [\d,]+ MB\. A page can train up to 50,000,000/,
    );
    expect(() => checkRoom([784, 16, 16, 10], SETTINGS, pictures(10))).not.toThrow();
  });

  test("refuse a squish through which nothing is learnt", () => {
    expect(() => structureOf([24, 8, 3], ["step", "softmax"], SETTINGS, pictures(10))).toThrow(
      "Layer 0 has the squish step",
    );
  });

  test("choose the loss that fits", () => {
    const data = pictures(6);
    expect(fittingLoss(data, "softmax")).toBe("cross_entropy");
    expect(fittingLoss(data, "sigmoid")).toBe("binary_cross_entropy");
    expect(fittingLoss(data, "identity")).toBe("squared_error");
    expect(fittingLoss({ ...data, targets: { rows: new Float32Array(6) } }, "identity")).toBe("squared_error");
  });
});

test("a neuron's field is what its trace says at each point", () => {
  const network = someNetwork([2, 5, 2], ["tanh", "softmax"]);
  const [side, extent] = [4, { x: [-4, 4], y: [0, 8] } as const];
  const fields = new Fields(kernel, side, extent).of(network);
  expect(fields.map((layer) => layer.length)).toEqual([5, 2]);
  const tracer = new Tracer(kernel);
  for (let point = 0; point < side ** 2; point++) {
    const inputs = Float32Array.of(-3 + 2 * (point % side), 7 - 2 * Math.floor(point / side)); // the top row first
    tracer
      .trace(network, inputs)
      .layers.forEach(({ activations }, layer) =>
        activations.forEach((activation, neuron) => expect(fields[layer][neuron][point]).toBeCloseTo(activation, 6)),
      );
  }
});

test("the plane reaches around the data", () => {
  const { x, y } = extentOf([0, 5, 10, 5]);
  expect(x).toEqual([-0.8, 10.8]);
  expect(y[0]).toBeLessThan(5);
});

test("knobs have names, and those turned most come first", () => {
  const architecture = new Architecture([3, 2, 1], ["relu", "identity"]);
  expect([0, 5, 7, 8, 10].map((i) => knobName(architecture, i))).toEqual([
    "weight 0 of 0:0",
    "weight 2 of 0:1",
    "bias of 0:1",
    "weight 0 of 1:0",
    "bias of 1:0",
  ]);
  expect(largestPlaces(Float32Array.of(0, -3, 1, 0, 2, -0.5), 3)).toEqual([1, 4, 2]);
  expect(largestPlaces(Float32Array.of(0, 0), 3)).toEqual([]);
});
