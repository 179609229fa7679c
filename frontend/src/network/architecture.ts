/** Sizes and squishes: the structure of a network without its values; how many parameters, by which formula. */

import { SQUISHES, type Squish } from "../core/names.ts";

/** Where a layer's numbers lie in the flat vector: weights (fanOut, fanIn) row by row from `start`, then its biases. */
export interface Place {
  readonly fanIn: number;
  readonly fanOut: number;
  readonly start: number;
  readonly biases: number;
  readonly stop: number;
}

export class Architecture {
  readonly sizes: readonly number[];
  readonly activations: readonly Squish[];
  readonly places: readonly Place[];

  /** Throws an `Error` with a plain message for sizes or squishes that are none. */
  constructor(sizes: readonly number[], activations: readonly Squish[]) {
    if (sizes.length < 2 || sizes.some((size) => !Number.isInteger(size) || size < 1))
      throw new Error(`sizes ${sizes.join("-")}: whole numbers from 1 up are needed, at least two, like 784-16-16-10`);
    if (activations.length !== sizes.length - 1)
      throw new Error(`${activations.length} squishes for ${sizes.length - 1} layers: one per layer is needed`);
    const unknown = activations.find((name) => !SQUISHES.includes(name));
    if (unknown !== undefined) throw new Error(`a squish ${unknown}: one of ${SQUISHES.join(", ")} is needed`);
    this.sizes = sizes;
    this.activations = activations;
    let start = 0;
    this.places = activations.map((_, layer) => {
      const [fanIn, fanOut] = [sizes[layer], sizes[layer + 1]];
      const biases = start + fanIn * fanOut;
      const place = { fanIn, fanOut, start, biases, stop: biases + fanOut };
      start = place.stop;
      return place;
    });
  }

  /** How many numbers in all. */
  get total(): number {
    return this.places[this.places.length - 1].stop;
  }

  toString(): string {
    return this.sizes.join("-");
  }

  same(other: Architecture): boolean {
    return `${this} ${this.activations}` === `${other} ${other.activations}`;
  }
}
