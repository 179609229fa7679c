import { describe, expect, it } from "vitest";
import { uniform } from "../src/kernel/random.ts";
import { Architecture } from "../src/network/architecture.ts";
import { inOrder, paired, sameFunction, type Pair } from "../src/network/matching.ts";
import { Network } from "../src/network/network.ts";
import { Trial } from "../src/network/trial.ts";
import { Tracer } from "../src/network/trace.ts";
import { kernel } from "./kernel.ts";

const order = (places: number[]): Pair[] => places.map((b, a) => ({ a, b, alike: 1 }));

function someNetwork(squish: "relu" | "sigmoid"): Network {
  const architecture = new Architecture([6, 5, 4, 3], [squish, squish, "softmax"]);
  const parameters = Float32Array.from(uniform(kernel, 7, architecture.total), (share) => 4 * share - 2);
  return new Network(architecture, parameters);
}

describe("paired", () => {
  it("takes the assignment with the largest sum, not the best pair first", () => {
    const [u, v] = [
      [1, -1, 1, -1],
      [1, 1, -1, -1],
    ];
    const a = Float32Array.from(u.flatMap((_, i) => [u[i], u[i] + v[i]]));
    const b = Float32Array.from(u.flatMap((_, i) => [u[i], u[i] - 0.2 * v[i]]));
    // The best pair is 0 and 0 with 1.00, which leaves 0.55; crosswise it is 0.98 and 0.71.
    expect(paired(a, b, 2).map((pair) => [pair.b, pair.alike.toFixed(2)])).toEqual([
      [1, "0.98"],
      [0, "0.71"],
    ]);
  });
  it("knows no scale", () => {
    const a = Float32Array.of(1, 5, 2, 1, 4, 9);
    const b = Float32Array.of(50, 2, 10, 4, 90, 8); // the second doubled, the first times ten
    expect(paired(a, b, 2).map(({ b, alike }) => [b, Math.round(alike * 1e6) / 1e6])).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });
  it("finds nothing alike in a neuron that never changes", () => {
    expect(paired(Float32Array.of(0, 0, 0), Float32Array.of(1, 2, 3), 1)).toEqual([{ a: 0, b: 0, alike: 0 }]);
  });
});

describe.each(["relu", "sigmoid"] as const)("a %s network in another order", (squish) => {
  const a = someNetwork(squish);
  const b = inOrder(a, [order([3, 0, 4, 1, 2]), order([2, 3, 0, 1])]);

  it("computes the same outputs", () => {
    const tracer = new Tracer(kernel);
    const inputs = Float32Array.of(1, -1, 0.5, 0, 2, -0.5);
    const [one, other] = [a, b].map((network) => [...tracer.trace(network, inputs).outputs]);
    other.forEach((output, i) => expect(output).toBeCloseTo(one[i], 6));
  });
  it("is brought back into order and found to be the same function", () => {
    const matching = new Trial(kernel, null).match(a, b);
    expect(matching.pairs[0].map((pair) => pair.b)).toEqual([1, 3, 4, 0, 2]);
    expect(matching.inOrder).toEqual(a.parameters);
    expect(matching.same).toBe(true);
  });
  it("is not the same function with one weight moved", () => {
    const parameters = b.parameters.slice();
    parameters[10] += 0.01;
    expect(new Trial(kernel, null).match(a, b.withParameters(parameters)).same).toBe(false);
  });
});

describe("the scale of relu neurons", () => {
  const scaled = (network: Network): Network => {
    const { places } = network.architecture;
    const parameters = network.parameters.slice();
    for (let i = 0; i < places[0].fanIn; i++) parameters[2 * places[0].fanIn + i] *= 3; // neuron 0:2, three times as much
    parameters[places[0].biases + 2] *= 3;
    for (let row = 0; row < places[1].fanOut; row++) parameters[places[1].start + row * places[1].fanIn + 2] /= 3;
    return network.withParameters(parameters);
  };
  it("makes no other function of relu", () =>
    expect(sameFunction(someNetwork("relu"), scaled(someNetwork("relu")))).toBe(true));
  it("does of sigmoid", () => expect(sameFunction(someNetwork("sigmoid"), scaled(someNetwork("sigmoid")))).toBe(false));
});
