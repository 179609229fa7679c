import { describe, expect, it } from "vitest";
import { activationOf, type Squish } from "../src/core/names.ts";
import { squished } from "../src/network/activation.ts";
import { framed, points, reachFor } from "../src/views/card/activation_curve.ts";
import { kernel } from "./kernel.ts";

describe("a squish by itself", () => {
  const z = Float32Array.of(-2, -0.5, 0, 0.5, 2);
  it.each<[Squish, (z: number) => number]>([
    ["identity", (z) => z],
    ["sigmoid", (z) => 1 / (1 + Math.exp(-z))],
    ["tanh", Math.tanh],
    ["relu", (z) => Math.max(0, z)],
    ["leaky_relu", (z) => (z > 0 ? z : 0.01 * z)],
    ["softplus", (z) => Math.log1p(Math.exp(z))],
    ["silu", (z) => z / (1 + Math.exp(-z))],
    ["step", (z) => Number(z > 0)],
  ])("%s is its formula", (squish, formula) => {
    squished(kernel, squish, z).forEach((value, i) => expect(value).toBeCloseTo(formula(z[i]), 6));
  });

  it("is found by other names and spellings", () => {
    const found = ["swish", "linear", "LeakyReLU", "hard-sigmoid", "no such"].map(activationOf);
    expect(found).toEqual(["silu", "identity", "leaky_relu", "hard_sigmoid", undefined]);
  });
});

describe("its curve", () => {
  it("reaches beyond the point, and 6 at least", () => {
    expect([reachFor(0.5), reachFor(-40)]).toEqual([6, 50]);
    expect([reachFor(3e38), reachFor(Infinity), reachFor(NaN)]).toEqual([1e37, 6, 6]);
    const z = points(50);
    expect([z[0], z[80], z[160]]).toEqual([-50, 0, 50]);
  });

  it("fills its frame, zero among the heights", () => {
    const z = points(6);
    const { x, y, path } = framed(z, squished(kernel, "sigmoid", z), 300, 110);
    expect(x(-6)).toBeLessThan(x(6));
    expect(y(0)).toBeGreaterThan(y(1));
    expect(y.domain()).toEqual([0, 1]);
    expect(path.startsWith(`M${x(-6)},`)).toBe(true);
  });

  it("can be flat", () => {
    const z = points(6);
    expect(framed(z, new Float32Array(z.length), 300, 110).y.domain()).toEqual([0, 1]);
  });
});
