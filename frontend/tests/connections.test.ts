import { beforeAll, expect, test, vi } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { Tracer, type Trace } from "../src/network/trace.ts";
import { kernel } from "./kernel.ts";

type Module = typeof import("../src/draw/connections.ts");
let module: Module;
beforeAll(async () => {
  vi.stubGlobal("matchMedia", () => ({ addEventListener: () => {} }));
  module = await import("../src/draw/connections.ts");
});

function traced(sizes: number[], inputs: number[]): Trace {
  const architecture = new Architecture(
    sizes,
    sizes.slice(1).map(() => "identity" as const),
  );
  const parameters = Float32Array.from({ length: architecture.total }, (_, i) => Math.sin(1.7 * i));
  return new Tracer(kernel).trace(new Network(architecture, parameters), Float32Array.from(inputs));
}

test("the strongest are those of the largest weight x activation, the weakest first", () => {
  const trace = traced([6, 5, 2], [1, -2, 0, 0.5, 3, -1]);
  const products = [...trace.network.parameters.subarray(0, 30)].map((w, i) => Math.fround(w * trace.inputs[i % 6]));
  const found = module.strongest(trace, 0, null, 7);
  const expected = [...products].sort((a, b) => Math.abs(a) - Math.abs(b)).slice(-7);
  expect([...found.values]).toEqual(expected);
  found.values.forEach((value, i) => expect(products[found.to[i] * 6 + found.from[i]]).toBe(value));
  expect(found.most).toBeCloseTo(Math.abs(expected[6]), 5);
});

test("a neuron's own: all that comes in and all that goes out", () => {
  const [into, out] = module.ofNeuron(traced([6, 5, 2], [1, 1, 1, 1, 1, 1]), { layer: 0, neuron: 3 });
  expect([into.layer, [...into.to], [...into.from].sort()]).toEqual([0, Array(6).fill(3), [0, 1, 2, 3, 4, 5]]);
  expect([out.layer, [...out.from], [...out.to].sort()]).toEqual([1, [3, 3], [0, 1]]);
});

test("an input of zero carries nothing, but may have a gradient", () => {
  const trace = traced([2, 1], [0, 1]);
  expect([...module.strongest(trace, 0).from]).toEqual([1]);
  expect([...module.strongest(trace, 0, Float32Array.of(5, 0, 0)).from]).toEqual([0]);
});
