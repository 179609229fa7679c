import { describe, expect, it } from "vitest";
import { Random, Stream } from "../src/kernel/random.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { varied } from "../src/network/variations.ts";
import { kernel } from "./kernel.ts";

const random = (seed = 1): Random => new Random(kernel, seed, Stream.Variation);
const architecture = new Architecture([3, 4, 2], ["relu", "softmax"]);
const values = Float32Array.from({ length: architecture.total }, (_, i) => (i % 2 ? -1 : 1) * (i + 1));
const network = new Network(architecture, values);
const [first, last] = architecture.places;
const sorted = (part: Float32Array): number[] => [...part].sort((a, b) => a - b);

describe("scramble", () => {
  it("keeps every value of a layer, in other places", () => {
    const { parameters } = varied(network, "scramble", 1, random());
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
    expect(varied(network, "scramble", 0, random()).parameters).toEqual(values);
  });
  it("is the same for the same seed, another for another", () => {
    const again = varied(network, "scramble", 1, random(1)).parameters;
    expect(varied(network, "scramble", 1, random()).parameters).toEqual(again);
    expect(varied(network, "scramble", 1, random(2)).parameters).not.toEqual(again);
  });
});

describe("noise", () => {
  it("is normal, with a spread in root mean squares", () => {
    const wide = new Architecture([100, 100], ["identity"]);
    const ones = new Float32Array(wide.total).fill(2);
    const noise = varied(new Network(wide, ones), "noise", 0.5, random()).parameters.map((value) => value - 2);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const spread = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
    expect(mean).toBeCloseTo(0, 1);
    expect(spread).toBeCloseTo(1, 1);
    expect(noise.filter((value) => Math.abs(value) < 1).length / noise.length).toBeCloseTo(0.683, 1);
  });
  it("of a smaller share is the same noise made smaller", () => {
    const [one, half] = [1, 0.5].map((share) => varied(network, "noise", share, random()).parameters[5] - values[5]);
    expect(half).toBeCloseTo(one / 2, 4);
  });
});

describe("prune", () => {
  it("sets the smallest weights of each layer to 0 and leaves the biases", () => {
    const { parameters } = varied(network, "prune", 0.5, random());
    expect([...parameters.subarray(first.start, first.biases)]).toEqual([0, 0, 0, 0, 0, 0, 7, -8, 9, -10, 11, -12]);
    expect(parameters.subarray(first.biases, first.stop)).toEqual(values.subarray(first.biases, first.stop));
  });
});

describe("round", () => {
  it("leaves so many values, from the smallest to the largest", () => {
    const weights = varied(network, "round", 2, random()).parameters.subarray(first.start, first.biases);
    expect(new Set(weights).size).toBeLessThanOrEqual(4);
    expect(Math.min(...weights)).toBe(-12);
    expect(Math.max(...weights)).toBe(11);
  });
  it("leaves a layer of one value alone", () => {
    const flat = network.withParameters(new Float32Array(values.length).fill(3));
    expect(varied(flat, "round", 1, random()).parameters).toEqual(flat.parameters);
  });
});

it("does not touch the network it is given", () => {
  const before = values.slice();
  varied(network, "noise", 1, random());
  expect(values).toEqual(before);
});
