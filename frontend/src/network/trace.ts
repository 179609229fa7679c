/** Every number that a network computes on its way from inputs to outputs. Computed by the kernel alone. */

import { Context } from "../core/context.ts";
import { Purpose, Vector, type Squish } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import type { Architecture } from "./architecture.ts";
import type { Address, Network } from "./network.ts";

/** One layer at work, one number per neuron: activations = squish(preActivations), preActivations = weightedSums + biases. */
export interface LayerTrace {
  readonly inputs: Float32Array;
  readonly weightedSums: Float32Array;
  readonly preActivations: Float32Array;
  readonly activations: Float32Array;
  readonly squish: Squish;
}

export interface Trace {
  readonly network: Network;
  readonly inputs: Float32Array;
  readonly layers: readonly LayerTrace[];
  readonly outputs: Float32Array;
}

/** One neuron at work: products[i] = weights[i] * inputs[i], their sum, the bias, the squish. */
export interface NeuronTrace {
  readonly address: Address;
  readonly inputs: Float32Array;
  readonly weights: Float32Array;
  /** In 64 bits, and so exact. */
  readonly products: Float64Array;
  readonly weightedSum: number;
  readonly bias: number;
  readonly preActivation: number;
  readonly squish: Squish;
  readonly activation: number;
}

export function neuronTrace(trace: Trace, address: Address): NeuronTrace {
  const layer = trace.layers[address.layer];
  const weights = trace.network.weights(address);
  return {
    address,
    inputs: layer.inputs,
    weights,
    products: Float64Array.from(weights, (weight, i) => weight * layer.inputs[i]),
    weightedSum: layer.weightedSums[address.neuron],
    bias: trace.network.bias(address),
    preActivation: layer.preActivations[address.neuron],
    squish: layer.squish,
    activation: layer.activations[address.neuron],
  };
}

/** Traces inputs one at a time; keeps the kernel open while the architecture stays. */
export class Tracer {
  readonly #module: WebAssembly.Module;
  #open: Opened | null = null;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** `inputs` are fan_in numbers, as the network reads them (a pixel from 0 to 1). */
  trace(network: Network, inputs: Float32Array): Trace {
    const { architecture } = network;
    if (!this.#open?.context.architecture.same(architecture)) this.#open = new Opened(this.#module, architecture);
    const arrays = this.#open.trace(network.parameters, inputs);
    let before = inputs;
    const layers = architecture.activations.map((squish, i) => {
      const [weightedSums, preActivations, activations] = arrays.slice(3 * i, 3 * i + 3);
      const layer = { inputs: before, weightedSums, preActivations, activations, squish };
      before = activations;
      return layer;
    });
    return { network, inputs, layers, outputs: before };
  }
}

class Opened {
  readonly context: Context;
  #written: Float32Array | null = null;
  readonly #values: number;
  readonly #inputs: number;
  readonly #places: number[];
  readonly #pointers: number;

  constructor(module: WebAssembly.Module, architecture: Architecture) {
    this.context = new Context(module, architecture, Purpose.Trace, {
      batchSize: 1,
      loss: DEFAULTS.measured,
      optimizer: DEFAULTS.descent,
    });
    const { memory } = this.context;
    this.#values = memory.lend(4 * architecture.sizes[0]);
    this.#inputs = this.context.inputs(1, 1, 1, this.#values);
    this.#places = architecture.sizes.slice(1).flatMap((size) => [0, 1, 2].map(() => memory.lend(4 * size)));
    this.#pointers = memory.put(Int32Array, this.#places);
  }

  trace(parameters: Float32Array, inputs: Float32Array): Float32Array[] {
    if (this.#written !== parameters) this.context.write(Vector.Parameters, parameters);
    this.#written = parameters;
    const { memory, architecture } = this.context;
    memory.view(Float32Array, this.#values, inputs.length).set(inputs);
    this.context.trace(this.#inputs, this.#pointers);
    return this.#places.map((at, i) =>
      memory.view(Float32Array, at, architecture.sizes[1 + Math.floor(i / 3)]).slice(),
    );
  }
}
