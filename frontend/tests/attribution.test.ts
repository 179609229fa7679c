/** What inputs gave to a neuron: complete on the way from zeros, and the same numbers as in Python. */

import { expect, test } from "vitest";
import { fsum } from "../src/network/arithmetic.ts";
import { attribution } from "../src/network/attribution.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import type { Squish } from "../src/core/names.ts";
import { kernel } from "./kernel.ts";
import { someNetwork } from "./networks.ts";
import { vectors } from "./vectors.ts";

const INPUTS = Float32Array.of(0.7, -1.2, 2.1);

test("of a linear network it is weight times input", () => {
  const network = someNetwork([3, 4, 2], ["identity", "identity"]);
  const found = attribution(kernel, network, INPUTS, { layer: 1, neuron: 1 });
  const before = [0, 1, 2, 3].map((neuron) => network.weights({ layer: 0, neuron }));
  const own = network.weights({ layer: 1, neuron: 1 });
  INPUTS.forEach((value, i) => {
    const weight = fsum([...own].map((w, n) => w * before[n][i]));
    expect(found.contributions[i]).toBeCloseTo(weight * value, 4);
  });
});

test.each<Squish>(["sigmoid", "tanh", "gelu", "relu", "leaky_relu"])(
  "through %s it adds up to the change of z",
  (squish) => {
    const network = someNetwork([3, 8, 6, 2], [squish, squish, "softmax"]);
    for (const address of [
      { layer: 0, neuron: 2 },
      { layer: 1, neuron: 5 },
      { layer: 2, neuron: 1 },
    ]) {
      const found = attribution(kernel, network, INPUTS, address);
      expect(found.change).toBeCloseTo(found.end - found.start, 6);
      expect(Math.abs(found.missing)).toBeLessThan(5e-3);
    }
  },
);

interface Case {
  sizes: number[];
  activations: Squish[];
  parameters: number[];
  inputs: number[];
  layer: number;
  neuron: number;
  contributions: number[];
  start: number;
  end: number;
}
test.each(vectors<Case>("attributions"))("$sizes $activations, neuron $layer:$neuron", (wanted) => {
  const architecture = new Architecture(wanted.sizes, wanted.activations);
  const network = new Network(architecture, Float32Array.from(wanted.parameters));
  const found = attribution(kernel, network, Float32Array.from(wanted.inputs), wanted);
  const size = Math.max(1, ...wanted.contributions.map(Math.abs));
  wanted.contributions.forEach((value, i) =>
    expect(Math.abs(found.contributions[i] - value)).toBeLessThan(2e-3 * size),
  );
  expect(found.start).toBeCloseTo(wanted.start, 4);
  expect(found.end).toBeCloseTo(wanted.end, 4);
});
