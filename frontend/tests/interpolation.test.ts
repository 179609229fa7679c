import { describe, expect, it } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { between, inputsDiffer, structureDiffers } from "../src/network/interpolation.ts";
import { difference, withDifference } from "../src/network/difference.ts";
import { disagreement } from "../src/network/disagreement.ts";
import type { Examination } from "../src/network/evaluation.ts";
import { Network } from "../src/network/network.ts";
import type { Squish } from "../src/core/names.ts";

const network = (sizes: number[], squish: Squish, schema = {}): Network => {
  const architecture = new Architecture(
    sizes,
    sizes.slice(1).map(() => squish),
  );
  const values = Float32Array.from({ length: architecture.total }, (_, i) => i);
  return new Network(architecture, values, schema);
};
const a = network([2, 3, 1], "relu");

describe("two networks", () => {
  it("of one structure differ in nothing", () => {
    expect(structureDiffers(a, network([2, 3, 1], "relu"))).toBeNull();
    expect(inputsDiffer(a, network([2, 5, 1], "tanh"))).toBeNull();
  });
  it("are told apart in words", () => {
    expect(structureDiffers(a, network([2, 4, 1], "relu"))).toBe("their sizes differ: 2-3-1 and 2-4-1");
    expect(structureDiffers(a, a.withActivation(1, "tanh"))).toBe("layer 1 squishes by relu here and tanh there");
    expect(inputsDiffer(a, network([3, 1], "relu"))).toBe("one takes 2 inputs, the other 3");
    expect(inputsDiffer(a, network([2, 1], "relu", { centers: [1, 2] }))).toMatch(/standardise/);
  });
  it("are mixed in the same shares", () => {
    const doubled = a.withParameters(a.parameters.map((value) => 2 * value));
    expect(between(a, doubled, 0).parameters).toEqual(a.parameters);
    expect(between(a, doubled, 1).parameters).toEqual(doubled.parameters);
    expect(between(a, doubled, 0.5).parameters[4]).toBe(6);
  });
});

describe("a difference", () => {
  const edited = a.edit({ layer: 1, neuron: 0 }, { bias: -0.5, weights: new Map([[2, NaN]]) });
  it("is only what changed, and brings it back bit by bit", () => {
    const bytes = difference(a, edited);
    expect(bytes.length).toBe(4 + 8 * 2);
    expect(withDifference(a, bytes)).toEqual(edited.parameters);
  });
  it("of two equal networks is nothing, NaN or not", () => {
    expect(difference(edited, edited).length).toBe(4);
  });
  it("of another network or a damaged one is told", () => {
    expect(() => withDifference(network([1, 1], "relu"), difference(a, edited))).toThrow("another network");
    expect(() => withDifference(a, difference(a, edited).slice(0, 9))).toThrow("damaged");
    expect(() => withDifference(a, new Uint8Array())).toThrow("damaged");
  });
});

it("a disagreement is told by who is right", () => {
  const labels = [0, 1, 2, 3];
  const examination = (...taken: number[]): Examination =>
    ({
      taken: Int32Array.from(taken),
      wrong: Int32Array.from(labels.keys()).filter((i) => taken[i] !== labels[i]),
    }) as Partial<Examination> as Examination;
  const found = disagreement(examination(0, 1, 9, 9), examination(0, 5, 2, 8));
  expect(found).toEqual({ indices: [1, 2, 3], onlyA: 1, onlyB: 1, neither: 1 });
});
