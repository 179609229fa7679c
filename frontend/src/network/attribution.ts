/** What each input gave to a neuron's pre-activation z: integrated gradients (Sundararajan, Taly and Yan, 2017) on the
 * straight path from a baseline of zeros to the input.
 *
 * The core computes all of it. A layer is put before the network that makes the inputs out of one number t, each times
 * its value: t from 0 to 1 walks along the path. The gradient for that layer's biases, which are 0, is the gradient for
 * the inputs, and the core's mean of it over many t is the integral. */

import { Context } from "../core/context.ts";
import { Purpose, Vector } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import { Architecture } from "./architecture.ts";
import { fsum } from "./arithmetic.ts";
import { Network, type Address } from "./network.ts";
import { Tracer } from "./trace.ts";

export interface Attribution {
  /** One number for each input; together they are `change`, but for `missing`. */
  readonly contributions: Float64Array;
  /** z of the neuron when every input is 0: what the network starts from. */
  readonly start: number;
  /** z of the input. */
  readonly end: number;
  readonly change: number;
  /** What the sum over points along the path misses of the change. */
  readonly missing: number;
}

const AT_ONCE = 64;
const [FEWEST, MOST] = [128, 1024]; // points along the path: as many as wide networks have time for
const WORK = 50e6; // products on the way forward, for all points together: some 60 ms
const FAR_BELOW = -1e30; // a target under every z: the gradient of |z - target| for z is 1

/** Of neuron `address` in a network that reads `inputs`. */
export function attribution(
  module: WebAssembly.Module,
  network: Network,
  inputs: Float32Array,
  address: Address,
): Attribution {
  const path = pathNetwork(network, inputs, address);
  const gradient = meanGradient(module, path, inputs.length);
  const tracer = new Tracer(module);
  const zAt = (t: number): number => tracer.trace(path, Float32Array.of(t)).outputs[0];
  const [start, end] = [zAt(0), zAt(1)];
  const contributions = Float64Array.from(gradient, (slope, i) => slope * inputs[i]);
  const change = end - start;
  return { contributions, start, end, change, missing: change - fsum([...contributions]) };
}

/** From one number t to z of the neuron: t times the inputs, the layers before it, and its own weights and bias. */
function pathNetwork(network: Network, inputs: Float32Array, address: Address): Network {
  const { sizes, activations, places } = network.architecture;
  const { layer } = address;
  const before = activations.slice(0, layer);
  const architecture = new Architecture(
    [1, ...sizes.slice(0, layer + 1), 1],
    [DEFAULTS.plain, ...before, DEFAULTS.plain],
  );
  const parameters = new Float32Array(architecture.total);
  parameters.set(inputs);
  const layers = network.parameters.subarray(0, places[layer].start);
  parameters.set(layers, 2 * inputs.length);
  parameters.set(network.weights(address), 2 * inputs.length + layers.length);
  parameters[architecture.total - 1] = network.bias(address);
  return new Network(architecture, parameters);
}

/** The mean over points of the path of the gradient of z for the inputs. */
function meanGradient(module: WebAssembly.Module, path: Network, width: number): Float64Array {
  const plan = { batchSize: AT_ONCE, loss: DEFAULTS.straight, optimizer: DEFAULTS.descent } as const;
  const context = new Context(module, path.architecture, Purpose.Gradient, plan);
  context.write(Vector.Parameters, path.parameters);
  const targets = context.targets({ rows: new Float32Array(AT_ONCE).fill(FAR_BELOW) });
  const sum = new Float64Array(width);
  const blocks = Math.ceil(Math.min(MOST, Math.max(FEWEST, WORK / path.architecture.total)) / AT_ONCE);
  const points = blocks * AT_ONCE;
  for (let first = 0; first < points; first += AT_ONCE) {
    const values = Float32Array.from({ length: AT_ONCE }, (_, k) => (first + k + 0.5) / points);
    context.setExamples(context.dense({ values, scale: 1, count: AT_ONCE }), targets);
    context.gradient();
    const biases = context.read(Vector.Slopes).subarray(width, 2 * width);
    biases.forEach((slope, i) => (sum[i] += slope));
  }
  return sum.map((each) => each / blocks);
}
