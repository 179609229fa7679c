import { expect, test } from "vitest";
import { outcomeText, winnerOf } from "../src/draw/outcome.ts";
import type { Squish } from "../src/core/names.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network, type Schema } from "../src/network/network.ts";
import { Tracer, type Trace } from "../src/network/trace.ts";
import { kernel } from "./kernel.ts";

/** Outputs are the squish of the biases. */
function saying(squish: Squish, biases: number[], schema: Schema = {}): Trace {
  const architecture = new Architecture([1, biases.length], [squish]);
  const parameters = Float32Array.from([...biases.map(() => 0), ...biases]);
  return new Tracer(kernel).trace(new Network(architecture, parameters, schema), Float32Array.of(0));
}

test("the best and the next are named, shares in percent", () => {
  const trace = saying("softmax", [0, Math.log(8), 0], { classes: ["cat", "dog", "owl"] });
  expect(outcomeText(trace)).toBe("looks like dog, 80.0 %; next cat, 10.0 %");
});

test("what is no share is not given in percent", () => {
  expect(outcomeText(saying("identity", [2.5, -1]))).toBe("looks like 0, 2.50; next 1, −1.00");
});

test("one output names class 1 above what the squish makes of 0", () => {
  const classes = ["no", "yes"];
  expect([1, -1].map((bias) => winnerOf(saying("sigmoid", [bias], { classes })))).toEqual([1, 0]);
  expect(winnerOf(saying("tanh", [0.1], { classes }))).toBe(1);
});

test("a measurement is told as it is", () => {
  expect(outcomeText(saying("identity", [1.5], { target: "height" }))).toBe("height 1.50");
  expect(winnerOf(saying("identity", [1, 2], { target: "place" }))).toBeNull();
});

test("outputs that are not numbers are said to be none", () => {
  expect(outcomeText(saying("identity", [NaN, 1]))).toBe("the outputs are not numbers");
});
