/** Which hidden neuron of one network does the work of which neuron of another. Hidden neurons have no order of their own:
 * two networks that learnt the same hold it in different places.
 *
 * The core pairs them by their weights, as `gn.compare` does (`explain/matching.py`): so that the distance between all
 * parameters is as small as it can be made. */

import { Memory } from "../core/memory.ts";
import { ACTIVATIONS } from "../generated/tables.ts";
import type { Network } from "./network.ts";

export interface Pair {
  readonly a: number;
  readonly b: number;
  /** −1 where b's neuron does the same with its signs turned around. */
  readonly sign: number;
  /** What b's incoming weights and bias are multiplied by, mostly 1. */
  readonly scale: number;
}

export interface Pairing {
  /** One list for each hidden layer, in a's order. */
  readonly pairs: readonly (readonly Pair[])[];
  /** The parameters of b with its hidden neurons in a's order. */
  readonly inOrder: Float32Array<ArrayBuffer>;
  /** Whether they are the same as a's then, but for rounding and scale. */
  readonly same: boolean;
}

/** What one layer's neurons say to many examples: (examples, neurons), row by row. */
export type Said = Float32Array;

/** Both networks have the same sizes and squishes. */
export function paired(module: WebAssembly.Module, a: Network, b: Network): Pairing {
  const { sizes, activations, total } = a.architecture;
  const layers = activations.length;
  const widths = sizes.slice(1, -1);
  const hidden = widths.reduce((sum, width) => sum + width, 0);
  const memory = new Memory(module);
  const sizesAt = memory.put(Int32Array, sizes);
  const kinds = memory.put(
    Int32Array,
    activations.map((squish) => Number(ACTIVATIONS[squish].odd) + 2 * Number(ACTIVATIONS[squish].homogeneous)),
  );
  const [ofA, ofB] = [a, b].map(({ parameters }) => memory.put(Float32Array, parameters));
  const doubles = memory.lend(8 * memory.kernel.match_doubles(layers, sizesAt));
  const integers = memory.lend(4 * memory.kernel.match_integers(layers, sizesAt));
  const [places, signs, scales] = [memory.lend(4 * hidden), memory.lend(4 * hidden), memory.lend(8 * hidden)];
  const arranged = memory.lend(4 * total);
  const same = memory.kernel.match(
    layers,
    sizesAt,
    kinds,
    ofA,
    ofB,
    doubles,
    integers,
    places,
    signs,
    scales,
    arranged,
  );
  const [place, sign] = [places, signs].map((at) => memory.view(Int32Array, at, hidden));
  const scale = memory.view(Float64Array, scales, hidden);
  let first = 0;
  const pairs = widths.map((width) => {
    const of = Array.from({ length: width }, (_, i) => {
      const at = first + i;
      return { a: i, b: place[at], sign: sign[at], scale: scale[at] };
    });
    first += width;
    return of;
  });
  return { pairs, inOrder: memory.view(Float32Array, arranged, total).slice(), same: same === 1 };
}

/** For each pair how far its neurons rise and fall together over many examples: their correlation, which knows no scale; 0
 * where one of the two never changes. */
export function alike(module: WebAssembly.Module, a: Said, b: Said, pairs: readonly Pair[]): Float64Array {
  const memory = new Memory(module);
  const [ofA, ofB] = [memory.put(Float32Array, a), memory.put(Float32Array, b)];
  const places = memory.put(
    Int32Array,
    pairs.map((pair) => pair.b),
  );
  const signs = memory.put(
    Int32Array,
    pairs.map((pair) => pair.sign),
  );
  const found = memory.lend(8 * pairs.length);
  memory.kernel.correlations(ofA, ofB, a.length / pairs.length, pairs.length, places, signs, found);
  return memory.view(Float64Array, found, pairs.length).slice();
}
