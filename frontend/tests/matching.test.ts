import { describe, expect, it } from "vitest";
import { uniform } from "../src/core/random.ts";
import { Architecture } from "../src/network/architecture.ts";
import { alike, paired } from "../src/network/matching.ts";
import { Network } from "../src/network/network.ts";
import { Trial } from "../src/network/compare_networks.ts";
import { Tracer } from "../src/network/trace.ts";
import { kernel } from "./kernel.ts";

function someNetwork(squish: "relu" | "sigmoid" | "tanh"): Network {
  const architecture = new Architecture([6, 5, 4, 3], [squish, squish, "softmax"]);
  const parameters = Float32Array.from(uniform(kernel, 7, architecture.total), (share) => 4 * share - 2);
  return new Network(architecture, parameters);
}

/** The first hidden layer's neurons in another order, and some turned. */
function moved(network: Network, order: number[], signs: number[]): Network {
  const { places } = network.architecture;
  const parameters = network.parameters.slice();
  const [{ fanIn, start, biases }, next] = places;
  order.forEach((from, to) => {
    for (let i = 0; i < fanIn; i++)
      parameters[start + to * fanIn + i] = signs[to] * network.parameters[start + from * fanIn + i];
    parameters[biases + to] = signs[to] * network.parameters[biases + from];
    for (let row = 0; row < next.fanOut; row++)
      parameters[next.start + row * next.fanIn + to] =
        signs[to] * network.parameters[next.start + row * next.fanIn + from];
  });
  return network.withParameters(parameters);
}
const PLAIN = [1, 1, 1, 1, 1];

describe("alike", () => {
  const pairs = [
    { a: 0, b: 1, sign: 1, scale: 1 },
    { a: 1, b: 0, sign: -1, scale: 1 },
  ];
  it("knows no scale, and turns what is turned", () => {
    const a = Float32Array.of(1, 5, 2, 1, 4, 9);
    const b = Float32Array.of(-50, 2, -10, 4, -90, 8);
    alike(kernel, a, b, pairs).forEach((value) => expect(value).toBeCloseTo(1, 6));
  });
  it("is 0 for a neuron that never changes", () => {
    const found = alike(kernel, Float32Array.of(0, 0, 0), Float32Array.of(1, 2, 3), [
      { a: 0, b: 0, sign: 1, scale: 1 },
    ]);
    expect([...found]).toEqual([0]);
  });
});

describe.each([
  ["relu", PLAIN],
  ["sigmoid", PLAIN],
  ["tanh", [1, -1, 1, 1, -1]],
] as const)("a %s network in another order", (squish, signs) => {
  const a = someNetwork(squish);
  const b = moved(a, [3, 0, 4, 1, 2], [...signs]);

  it("computes the same outputs", () => {
    const tracer = new Tracer(kernel);
    const inputs = Float32Array.of(1, -1, 0.5, 0, 2, -0.5);
    const [one, other] = [a, b].map((network) => [...tracer.trace(network, inputs).outputs]);
    other.forEach((output, i) => expect(output).toBeCloseTo(one[i], 6));
  });
  it("is brought back into order and found to be the same function", () => {
    const matching = new Trial(kernel, null).match(a, b);
    expect(matching.pairs[0].map((pair) => pair.b)).toEqual([1, 3, 4, 0, 2]);
    expect(matching.pairs[0].map((pair) => pair.sign)).toEqual([1, 3, 4, 0, 2].map((from) => signs[from]));
    matching.pairs.flat().forEach((pair) => expect(pair.alike).toBeCloseTo(1, 5));
    expect(matching.inOrder).toEqual(a.parameters);
    expect(matching.same).toBe(true);
  });
  it("is not the same function with one weight moved", () => {
    const parameters = b.parameters.slice();
    parameters[10] += 0.01;
    expect(paired(kernel, a, b.withParameters(parameters)).same).toBe(false);
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
  it("makes no other function of relu", () => {
    const { same, pairs } = paired(kernel, someNetwork("relu"), scaled(someNetwork("relu")));
    expect(same).toBe(true);
    expect(pairs[0][2].scale).toBeCloseTo(1 / 3, 6);
  });
  it("does of sigmoid", () =>
    expect(paired(kernel, someNetwork("sigmoid"), scaled(someNetwork("sigmoid"))).same).toBe(false));
});

it("leaves a network with numbers that are none as it is", () => {
  const network = someNetwork("relu");
  const broken = network.withParameters(network.parameters.map((value, i) => (i === 3 ? NaN : value)));
  expect(paired(kernel, network, broken)).toMatchObject({ same: false, inOrder: broken.parameters });
});
