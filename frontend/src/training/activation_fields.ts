/** What each neuron of a network with two inputs says all over the plane: a small picture per neuron, the activations at
 * the points of a grid. The last layer's are the decision boundary. */

import { Context } from "../core/context.ts";
import { InputKind, Purpose, Vector } from "../core/names.ts";
import { DEFAULTS } from "../generated/tables.ts";
import type { Network } from "../network/network.ts";

/** Of the plane: the least and the largest of both inputs. */
export interface Extent {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

interface Opened {
  readonly context: Context;
  readonly inputs: number;
  readonly pointers: number;
  /** Where each layer's activations are written. */
  readonly activations: readonly number[];
}

export class Fields {
  readonly #module: WebAssembly.Module;
  readonly #side: number;
  readonly #extent: Extent;
  #open: Opened | null = null;

  /** Pictures of `side` by `side` points, the largest second input on top. */
  constructor(module: WebAssembly.Module, side: number, extent: Extent) {
    this.#module = module;
    this.#side = side;
    this.#extent = extent;
  }

  /** One picture for each neuron of each layer, row by row. */
  of(network: Network): Float32Array[][] {
    const { architecture } = network;
    if (!this.#open?.context.architecture.same(architecture)) this.#open = this.#opened(network);
    const { context, inputs, pointers, activations } = this.#open;
    context.write(Vector.Parameters, network.parameters);
    context.trace(inputs, pointers);
    const points = this.#side ** 2;
    return architecture.places.map(({ fanOut }, layer) => {
      const all = context.memory.view(Float32Array, activations[layer], points * fanOut);
      return Array.from({ length: fanOut }, (_, neuron) =>
        Float32Array.from({ length: points }, (_, point) => all[point * fanOut + neuron]),
      );
    });
  }

  #opened({ architecture }: Network): Opened {
    const plan = { batchSize: 96, loss: DEFAULTS.measured, optimizer: DEFAULTS.descent } as const;
    const context = new Context(this.#module, architecture, Purpose.Trace, plan);
    const { memory } = context;
    const points = this.#side ** 2;
    const inputs = context.inputs(InputKind.DenseFloats, 1, points, memory.put(Float32Array, this.#grid()));
    const places = architecture.sizes.slice(1).map((size) => [0, 1, 2].map(() => memory.lend(4 * points * size)));
    const pointers = memory.put(Int32Array, places.flat());
    return { context, inputs, pointers, activations: places.map(([, , activations]) => activations) };
  }

  #grid(): number[] {
    const side = this.#side;
    const { x, y } = this.#extent;
    const at = ([low, high]: readonly [number, number], i: number): number => low + ((high - low) * (i + 0.5)) / side;
    return Array.from({ length: side ** 2 }, (_, point) => [
      at(x, point % side),
      at(y, side - 1 - Math.floor(point / side)),
    ]).flat();
  }
}

/** Where the data lie, and a little around them. */
export function extentOf(values: ArrayLike<number>): Extent {
  const range = (from: number): [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = from; i < values.length; i += 2) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
    const room = 0.08 * (high - low || 1);
    return [low - room, high + room];
  };
  return { x: range(0), y: range(1) };
}
