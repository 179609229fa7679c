import { describe, expect, it } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { inputName, outputName } from "../src/network/labels.ts";
import { Network } from "../src/network/network.ts";
import { neuronTrace, Tracer } from "../src/network/trace.ts";
import { figure, strongest, unitsOf, worked } from "../src/network/arithmetic.ts";
import { kernel } from "./kernel.ts";

/** One neuron over these inputs. */
function neuron(weights: number[], bias: number, inputs: number[]) {
  const network = new Network(new Architecture([weights.length, 1], ["identity"]), Float32Array.of(...weights, bias));
  return neuronTrace(new Tracer(kernel).trace(network, Float32Array.from(inputs)), { layer: 0, neuron: 0 });
}

describe("the strongest products", () => {
  it("come largest first, whatever their sign; of equal ones the first", () => {
    expect(strongest(Float64Array.of(1, -3, 2, 3, 0), 3)).toEqual([1, 3, 2]);
  });
  it("stay in their order where all are shown", () => {
    expect(strongest(Float64Array.of(1, -3, 2), 3)).toEqual([0, 1, 2]);
  });
});

describe("a column of arithmetic", () => {
  const read = (text: string): bigint => BigInt(text.replace("\u2212", "-").replace(/[.,]/g, ""));

  it("adds up as shown", () => {
    const random = (i: number): number => Math.sin(i * 12.9898) * 3;
    for (const scale of [0.001, 1, 50, 4000]) {
      const weights = Array.from({ length: 40 }, (_, i) => scale * random(i));
      const trace = neuron(
        weights,
        scale * random(99),
        Array.from({ length: 40 }, (_, i) => Math.abs(random(i + 7))),
      );
      const sums = worked(trace, strongest(trace.products, 6))!;
      const terms = sums.terms.reduce((sum, { figure }) => sum + read(figure), 0n);
      const others = read(sums.others!.figure) + read(sums.rounding?.figure ?? "0");
      expect(terms + others).toBe(read(sums.weightedSum));
      const rounding = sums.biasRounding ? read(sums.biasRounding.figure) : 0n;
      expect(read(sums.weightedSum) + read(sums.bias) + rounding).toBe(read(sums.preActivation));
    }
  });

  it("is none where a number overflowed", () => {
    expect(worked(neuron([3e38, 3e38], 0, [2, 2]), [0])).toBeNull();
  });

  it("is rounded once, halves to even, whatever the size", () => {
    expect([0.5, 1.5, -2.5, 0.125, 1e300].map((value) => unitsOf(value, 0))).toEqual([0n, 2n, -2n, 0n, BigInt(1e300)]);
    expect(unitsOf(0.125, 2)).toBe(12n);
    expect(unitsOf(5e-324, 324)).toBe(5n);
    expect(unitsOf(2.675, 2)).toBe(267n); // a little less than it looks
  });

  it("is written with its decimals, and a true minus", () => {
    expect([figure(-236n, 2), figure(1234567n, 2), figure(5n, 4)]).toEqual(["\u22122.36", "12,345.67", "0.0005"]);
  });
});

describe("names", () => {
  const network = (sizes: number[], schema: object): Network =>
    new Network(
      new Architecture(sizes, ["relu", "identity"]),
      new Float32Array(new Architecture(sizes, ["relu", "identity"]).total),
      schema,
    );

  it("of inputs are pixels, columns, neurons or numbers", () => {
    const picture = network([6, 2, 2], { input_shape: [2, 3] });
    expect([inputName(picture, 0, 4), inputName(picture, 1, 1)]).toEqual(["pixel 1,1", "neuron 0:1"]);
    expect(inputName(network([2, 2, 1], { features: ["age", "hue"] }), 0, 1)).toBe("hue");
    expect(inputName(network([2, 2, 1], {}), 0, 1)).toBe("input 1");
  });
  it("of outputs are classes, the target or numbers", () => {
    expect(outputName(network([2, 2, 2], { classes: ["cat", "dog"] }), 1)).toBe("dog");
    expect(outputName(network([2, 2, 1], { target: "price" }), 0)).toBe("price");
    expect(outputName(network([2, 2, 2], {}), 1)).toBe("output 1");
  });
});
