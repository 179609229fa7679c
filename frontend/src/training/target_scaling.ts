/** Measurements in any unit, learnt as numbers around 0, told in the unit they came in (`units.py`). A price of 300,000 is
 * far from where a network starts, and its squared error drowns every step. A last layer that is linear takes the unit
 * over: y = center + spread (w . a + b) has the weights spread w and the bias spread b + center. */

import { DEFAULTS } from "../generated/tables.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Architecture } from "../network/architecture.ts";
import type { Vector } from "./messages.ts";

/** Mean and standard deviation of what an output is to tell (a spread of 1 where it is always the same). */
interface Scale {
  readonly center: number;
  readonly spread: number;
}

export class Unit {
  readonly #architecture: Architecture;
  /** One for each output; none where nothing is standardised: for classes, and where the last layer is not linear. */
  readonly #scales: readonly Scale[];

  constructor(architecture: Architecture, { targets }: Dataset) {
    this.#architecture = architecture;
    const [outputs, linear] = [architecture.sizes.at(-1)!, architecture.activations.at(-1) === DEFAULTS.plain];
    const rows = linear && "rows" in targets ? targets.rows : null;
    this.#scales = rows ? Array.from({ length: outputs }, (_, output) => scaleOf(rows, output, outputs)) : [];
  }

  /** The data with targets around 0, of spread 1. */
  standardised(data: Dataset): Dataset {
    const { targets } = data;
    const scales = this.#scales;
    if (!("rows" in targets) || scales.length === 0) return data;
    const rows = targets.rows.map((value, i) => {
      const { center, spread } = scales[i % scales.length];
      return (value - center) / spread;
    });
    return { ...data, targets: { rows } };
  }

  /** Parameters as they are learnt, told in the unit; in place, like all that follow. */
  told(parameters: Vector): Vector {
    return this.#turned(
      parameters,
      (weight, { spread }) => weight * spread,
      (bias, { center, spread }) => bias * spread + center,
    );
  }

  /** And back. */
  learnt(parameters: Vector): Vector {
    return this.#turned(
      parameters,
      (weight, { spread }) => weight / spread,
      (bias, { center, spread }) => (bias - center) / spread,
    );
  }

  /** By how much the told parameters are moved. */
  toldMove(move: Vector): Vector {
    return this.#turned(move, (by, { spread }) => by * spread);
  }

  /** The slopes of the same loss over the told parameters. */
  toldGradient(gradient: Vector): Vector {
    return this.#turned(gradient, (slope, { spread }) => slope / spread);
  }

  /** The last layer's weights and biases, each by its output's scale. */
  #turned(vector: Vector, weight: (value: number, scale: Scale) => number, bias = weight): Vector {
    const { start, biases, fanIn } = this.#architecture.places.at(-1)!;
    this.#scales.forEach((scale, output) => {
      const row = vector.subarray(start + output * fanIn, start + (output + 1) * fanIn);
      row.forEach((value, i) => (row[i] = weight(value, scale)));
      vector[biases + output] = bias(vector[biases + output], scale);
    });
    return vector;
  }
}

function scaleOf(rows: Float32Array, output: number, outputs: number): Scale {
  const values = Float64Array.from(rows.filter((_, i) => i % outputs === output));
  const center = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / values.length);
  return { center, spread: spread > 0 ? spread : 1 };
}
