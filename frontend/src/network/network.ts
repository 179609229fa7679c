/** A network: architecture and one flat vector. A value: nothing changes it in place, so any two can be compared and every
 * edit can be undone. */

import type { Squish } from "../core/names.ts";
import { Architecture } from "./architecture.ts";

/** What inputs and outputs stand for (`schema.py`); every field may be unknown. */
export interface Schema {
  input_shape?: number[];
  scale?: number;
  features?: string[];
  centers?: number[];
  spreads?: number[];
  fill?: number[];
  one_hot?: ([column: string, text: string] | null)[];
  classes?: string[];
  target?: string;
}

/** A neuron's address, both from zero: layer 0 is the first with weights, the inputs are no layer. */
export interface Address {
  readonly layer: number;
  readonly neuron: number;
}
export const addressText = ({ layer, neuron }: Address): string => `${layer}:${neuron}`;
export const sameAddress = (a: Address | null, b: Address | null): boolean =>
  a === b || (!!a && !!b && a.layer === b.layer && a.neuron === b.neuron);

export class Network {
  readonly architecture: Architecture;
  /** Read only: other networks may share it. */
  readonly parameters: Float32Array;
  readonly schema: Schema;

  constructor(architecture: Architecture, parameters: Float32Array, schema: Schema = {}) {
    if (parameters.length !== architecture.total)
      throw new Error(`${parameters.length} numbers for ${architecture}, which has ${architecture.total}`);
    this.architecture = architecture;
    this.parameters = parameters;
    this.schema = schema;
  }

  /** The template of a neuron, one weight per input: a view, not to be written to. */
  weights({ layer, neuron }: Address): Float32Array {
    const { start, fanIn } = this.architecture.places[layer];
    return this.parameters.subarray(start + neuron * fanIn, start + (neuron + 1) * fanIn);
  }

  bias({ layer, neuron }: Address): number {
    return this.parameters[this.architecture.places[layer].biases + neuron];
  }

  activation(layer: number): Squish {
    return this.architecture.activations[layer];
  }

  withParameters(parameters: Float32Array): Network {
    return new Network(this.architecture, parameters, this.schema);
  }

  withActivation(layer: number, squish: Squish): Network {
    const { sizes, activations } = this.architecture;
    return new Network(new Architecture(sizes, activations.with(layer, squish)), this.parameters, this.schema);
  }

  /** With another bias, or another weight for some inputs, of one neuron. */
  edit(address: Address, change: { bias?: number; weights?: ReadonlyMap<number, number> }): Network {
    const parameters = this.parameters.slice();
    const { start, fanIn, biases } = this.architecture.places[address.layer];
    if (change.bias !== undefined) parameters[biases + address.neuron] = change.bias;
    change.weights?.forEach((weight, input) => (parameters[start + address.neuron * fanIn + input] = weight));
    return this.withParameters(parameters);
  }

  /** The same without the names of its outputs. */
  get nameless(): Network {
    const classes = Array.from({ length: this.architecture.sizes.at(-1)! }, () => "?");
    return new Network(this.architecture, this.parameters, { ...this.schema, classes });
  }

  /** What an output stands for. */
  className(output: number): string {
    return this.schema.classes?.[output] ?? String(output);
  }

  /** Whether inputs are a picture, and of which size. */
  get picture(): { width: number; height: number } | null {
    const [height, width, ...more] = this.schema.input_shape ?? [];
    if (height && width && more.length === 0) return { width, height };
    return this.architecture.sizes[0] === 784 && !this.schema.features ? { width: 28, height: 28 } : null;
  }
}
