import { describe, expect, it } from "vitest";
import { short } from "../src/draw/numbers.ts";
import type { Squish } from "../src/core/names.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { neuronTrace, Tracer } from "../src/network/trace.ts";
import { listed, neuronWords, shareText } from "../src/views/card/explanation.ts";
import { kernel } from "./kernel.ts";

function words(weights: number[], bias: number, squish: Squish = "sigmoid", inputs = weights.map(() => 1)): string {
  const parameters = Float32Array.of(...weights, bias, 1, 0);
  const network = new Network(new Architecture([weights.length, 1, 1], [squish, "identity"]), parameters);
  const trace = new Tracer(kernel).trace(network, Float32Array.from(inputs));
  return neuronWords(network, neuronTrace(trace, { layer: 0, neuron: 0 }));
}

describe("a neuron in words", () => {
  it("names the few inputs that matter", () => {
    expect(words([2, -1, 0.1], 0)).toBe("is active (0.750): mostly input 0, for; it has no bias.");
    expect(words([-2, 1.9, 0.3], 0.5)).toMatch(/mostly input 1, for, and input 0, against; /);
  });
  it("says so where many do", () => {
    expect(words(Array(12).fill(1), 0)).toContain(
      "many inputs (6 of 12 make half), most of all inputs 0, 1 and 2, for",
    );
  });
  it("says so where nothing comes in", () => {
    expect(words([1, 2], -1, "relu", [0, 0])).toBe(
      "is inactive (0): nothing comes in, all products are 0; only its bias of \u22121.00 counts.",
    );
  });
  it.each([
    [0.001, "its bias has little effect"],
    [0.05, "its bias raises it a little"],
    [0.3, "its bias raises it"],
    [-0.3, "its bias lowers it"],
    [0.9, "its bias raises it a lot"],
    [-2, "its bias of \u22122.00 decides"],
  ])("weighs a bias of %s against a sum of 1", (bias, what) => {
    expect(words([1], bias)).toContain(`; ${what}.`);
  });
});

it("lists names of one kind together", () => {
  expect(listed(["pixel 9,14", "pixel 10,14", "pixel 1,2"])).toBe("pixels 9,14; 10,14 and 1,2");
  expect(listed(["neuron 1:3", "neuron 1:5"])).toBe("neurons 1:3 and 1:5");
  expect(listed(["age", "hue"])).toBe("age and hue");
  expect(listed(["pixel 1,2"])).toBe("pixel 1,2");
});

it("never rounds a share to all or nothing", () => {
  expect([0.99996, 0.00001, 1, 0, 0.5].map(shareText)).toEqual([
    "over 99.9 %",
    "under 0.1 %",
    "100.0 %",
    "0.0 %",
    "50.0 %",
  ]);
});

it("writes three significant digits", () => {
  expect([0.99996, -1.3049, 12560, 1234567, 0.001, 0.00099996, -2e-9, 0].map(short)).toEqual([
    "1.00", "\u22121.30", "12,560", "1.23e+6", "0.00100", "0.00100", "\u22122.00e\u22129", "0",
  ]); // prettier-ignore
});
