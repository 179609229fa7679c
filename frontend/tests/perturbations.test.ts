import { describe, expect, it } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { varied, type Variation } from "../src/network/perturbations.ts";
import { kernel } from "./kernel.ts";

const changed = (of: Network, kind: Variation, strength: number, seed = 1): Network =>
  varied(kernel, of, kind, strength, seed);
const architecture = new Architecture([3, 4, 2], ["relu", "softmax"]);
const values = Float32Array.from({ length: architecture.total }, (_, i) => (i % 2 ? -1 : 1) * (i + 1));
const network = new Network(architecture, values);
const [first, last] = architecture.places;
const sorted = (part: Float32Array): number[] => [...part].sort((a, b) => a - b);

describe("scramble", () => {
  it("keeps every value of a layer, in other places", () => {
    const { parameters } = changed(network, "scramble", 1);
    expect(parameters).not.toEqual(values);
    for (const [from, to] of [
      [first.start, first.biases],
      [first.biases, first.stop],
      [last.start, last.biases],
      [last.biases, last.stop],
    ])
      expect(sorted(parameters.subarray(from, to))).toEqual(sorted(values.subarray(from, to)));
  });
  it("moves no value at a share of 0", () => {
    expect(changed(network, "scramble", 0).parameters).toEqual(values);
  });
  it("is the same for the same seed, another for another", () => {
    const again = changed(network, "scramble", 1, 1).parameters;
    expect(changed(network, "scramble", 1).parameters).toEqual(again);
    expect(changed(network, "scramble", 1, 2).parameters).not.toEqual(again);
  });
});

describe("noise", () => {
  it("is normal, with a spread in root mean squares", () => {
    const wide = new Architecture([100, 100], ["identity"]);
    const ones = new Float32Array(wide.total).fill(2);
    const noise = changed(new Network(wide, ones), "noise", 0.5).parameters.map((value) => value - 2);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const spread = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
    expect(mean).toBeCloseTo(0, 1);
    expect(spread).toBeCloseTo(1, 1);
    expect(noise.filter((value) => Math.abs(value) < 1).length / noise.length).toBeCloseTo(0.683, 1);
  });
  it("of a smaller share is the same noise made smaller", () => {
    const [one, half] = [1, 0.5].map((share) => changed(network, "noise", share).parameters[5] - values[5]);
    expect(half).toBeCloseTo(one / 2, 4);
  });
});

describe("prune", () => {
  it("sets the smallest weights of each layer to 0 and leaves the biases", () => {
    const { parameters } = changed(network, "prune", 0.5);
    expect([...parameters.subarray(first.start, first.biases)]).toEqual([0, 0, 0, 0, 0, 0, 7, -8, 9, -10, 11, -12]);
    expect(parameters.subarray(first.biases, first.stop)).toEqual(values.subarray(first.biases, first.stop));
  });
});

describe("round", () => {
  it("leaves so many values, from the smallest to the largest", () => {
    const weights = changed(network, "round", 2).parameters.subarray(first.start, first.biases);
    expect(new Set(weights).size).toBeLessThanOrEqual(4);
    expect(Math.min(...weights)).toBe(-12);
    expect(Math.max(...weights)).toBe(11);
  });
  it("leaves a layer of one value alone", () => {
    const flat = network.withParameters(new Float32Array(values.length).fill(3));
    expect(changed(flat, "round", 1).parameters).toEqual(flat.parameters);
  });
});

it("does not touch the network it is given", () => {
  const before = values.slice();
  changed(network, "noise", 1);
  expect(values).toEqual(before);
});
