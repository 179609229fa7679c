import { describe, expect, it } from "vitest";
import type { Targets } from "../src/core/context.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Exam, measured, recognised } from "../src/network/evaluation.ts";
import { kernel } from "./kernel.ts";

const labels = (...values: number[]): Targets => ({ labels: Int32Array.from(values) });

describe("the exam", () => {
  /** Three inputs straight to three outputs: the largest input is the class. */
  const straight = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
  const bytes = { values: Uint8Array.of(9, 0, 0, 0, 0, 7, 0, 3, 0, 5, 0, 0), scale: 1 / 255, count: 4 };

  it("counts what is right, and keeps what is wrong", () => {
    const exam = new Exam(kernel, { inputs: bytes, targets: labels(0, 2, 1, 2), width: 3 });
    const { accuracy, wrong, confusion, classes } = exam.examine(new Architecture([3, 3], ["softmax"]), straight);
    expect(accuracy).toBe(0.75);
    expect([...wrong]).toEqual([3]);
    expect(classes).toBe(3);
    expect([...confusion]).toEqual([1, 0, 0, 0, 1, 0, 1, 0, 1]);
  });

  it("gives the same for lists, for bytes as they are and for floats", () => {
    const rows = 300;
    const sparse = Uint8Array.from({ length: rows * 20 }, (_, i) => (i % 7 === 0 ? (i * 37) % 256 : 0));
    const full = sparse.map((value) => value + 1);
    const architecture = new Architecture([20, 5, 3], ["tanh", "identity"]);
    const parameters = Float32Array.from({ length: architecture.total }, (_, i) => Math.sin(i));
    const targets = labels(...Array.from({ length: rows }, (_, i) => i % 3));
    for (const values of [sparse, full]) {
      const of = (inputs: { values: Uint8Array | Float32Array; scale: number; count: number }) =>
        new Exam(kernel, { inputs, targets, width: 20 }).examine(architecture, parameters);
      const floats = Float32Array.from(values, (value) => value * Math.fround(1 / 255));
      expect(of({ values, scale: 1 / 255, count: rows })).toEqual(of({ values: floats, scale: 1, count: rows }));
    }
  });

  it("takes up another architecture", () => {
    const exam = new Exam(kernel, { inputs: bytes, targets: labels(0, 2, 1, 0), width: 3 });
    expect(exam.examine(new Architecture([3, 3], ["relu"]), straight).accuracy).toBe(1);
    const negated = Float32Array.of(-1, 0, 0, 0, -1, 0, 0, 0, -1, 0, 0, 0);
    expect(exam.examine(new Architecture([3, 3], ["identity"]), negated).accuracy).toBe(0);
    expect(exam.examine(new Architecture([3, 3], ["relu"]), straight).accuracy).toBe(1);
  });

  it("asks one output whether it says more than even", () => {
    const inputs = { values: Float32Array.of(-1, 2, 3), scale: 1, count: 3 };
    const exam = new Exam(kernel, { inputs, targets: labels(0, 1, 0), width: 1 });
    expect(exam.examine(new Architecture([1, 1], ["sigmoid"]), Float32Array.of(1, 0)).accuracy).toBeCloseTo(2 / 3);
  });
});

it("knows labels that the network has no output for", () => {
  expect(recognised(Float32Array.of(1, 0, 0, 1), Int32Array.of(0, 4), 2, 0)).toMatchObject({
    accuracy: 0.5,
    classes: 5,
  });
});

it("says how much of the variance is explained", () => {
  const wanted = Float32Array.of(1, 2, 3, 4);
  expect(measured(wanted, wanted, 4, 1).rSquared).toBe(1);
  expect(measured(Float32Array.of(2.5, 2.5, 2.5, 2.5), wanted, 4, 1).rSquared).toBe(0);
  expect(measured(Float32Array.of(1, 1), Float32Array.of(1, 1), 2, 1).rSquared).toBeNull();
});
