import { describe, expect, test } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { neuronTrace, Tracer } from "../src/network/trace.ts";
import { kernel } from "./kernel.ts";
import { someNetwork } from "./networks.ts";

describe("an architecture", () => {
  test("counts as the ledger does", () => {
    const { places, total } = new Architecture([784, 16, 16, 10], ["relu", "relu", "softmax"]);
    expect(places.map(({ start, stop }) => stop - start)).toEqual([12560, 272, 170]);
    expect(total).toBe(13002);
  });

  test.each([[[3]], [[3, 0]], [[3, 1.5]], [[3, -2, 4]]])("has no sizes %j", (sizes) => {
    expect(() => new Architecture(sizes, [])).toThrow("whole numbers from 1 up");
  });

  test("has one squish a layer, by a name that is known", () => {
    expect(() => new Architecture([3, 2], [])).toThrow("0 squishes for 1 layers");
    expect(() => new Architecture([3, 2], ["squash" as "relu"])).toThrow("a squish squash");
  });
});

describe("a network", () => {
  test("is a value: an edit makes another", () => {
    const network = someNetwork();
    const address = { layer: 1, neuron: 1 };
    const edited = network.edit(address, { bias: 7, weights: new Map([[2, -3]]) });
    expect(edited.bias(address)).toBe(7);
    expect(edited.weights(address)[2]).toBe(-3);
    expect(network.bias(address)).not.toBe(7);
    const changed = [...network.parameters.keys()].filter((i) => network.parameters[i] !== edited.parameters[i]);
    expect(changed).toHaveLength(2);
  });
});

describe("a trace", () => {
  const tracer = new Tracer(kernel);
  const inputs = Float32Array.of(0.5, -1, 2);

  test("is squish(weights . inputs + bias), neuron by neuron", () => {
    const trace = tracer.trace(someNetwork(), inputs);
    for (const neuron of [0, 1, 2, 3]) {
      const one = neuronTrace(trace, { layer: 0, neuron });
      const sum = one.products.reduce((total, product) => total + product, 0);
      expect(one.weightedSum).toBeCloseTo(sum, 5);
      expect(one.preActivation).toBeCloseTo(sum + one.bias, 5);
      expect(one.activation).toBeCloseTo(Math.tanh(sum + one.bias), 5);
    }
    expect(trace.layers[1].inputs).toBe(trace.layers[0].activations);
    expect(trace.outputs.reduce((total, share) => total + share, 0)).toBeCloseTo(1, 5);
  });

  test("follows new parameters and a new architecture", () => {
    const network = someNetwork();
    const before = tracer.trace(network, inputs).outputs;
    expect(tracer.trace(network.edit({ layer: 1, neuron: 0 }, { bias: 9 }), inputs).outputs[0]).toBeGreaterThan(0.9);
    expect(tracer.trace(network.withActivation(0, "relu"), inputs).layers[0].activations.every((a) => a >= 0)).toBe(
      true,
    );
    expect(tracer.trace(network, inputs).outputs).toEqual(before);
  });
});
