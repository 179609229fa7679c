/** Examples to learn from or to be tested with: inputs as stored, what they are multiplied by, targets. */

import type { Rows, Targets } from "../core/context.ts";
import type { Schema } from "../network/network.ts";

export interface Dataset {
  /** "test digits", "spiral", "iris.csv" */
  readonly name: string;
  readonly inputs: Rows;
  readonly targets: Targets;
  /** Numbers in a row of inputs. */
  readonly width: number;
  readonly schema: Schema;
}

/** One input as a network reads it, and where it comes from. */
export interface Input {
  readonly values: Float32Array;
  /** "drawn", "test digit 17", "row 3 of iris.csv" */
  readonly from: string;
  /** The class it is known to be of. */
  readonly label?: number;
  /** Which example of the data set it is. */
  readonly index?: number;
}

/** Example `index` of a data set. */
export function exampleOf(data: Dataset, index: number): Input {
  const { inputs, targets, width } = data;
  const values = Float32Array.from(
    inputs.values.subarray(index * width, (index + 1) * width),
    (value) => value * Math.fround(inputs.scale),
  );
  const from = `${data.name}, ${index}`;
  return "labels" in targets ? { values, from, index, label: targets.labels[index] } : { values, from, index };
}

export const DIGIT_CLASSES = [..."0123456789"];

/** Digits as they are sent: so many pictures of 784 grey values, then as many labels. */
export function digitsOf(bytes: Uint8Array, name: string): Dataset {
  const count = Math.floor(bytes.length / 785);
  if (count * 785 !== bytes.length) throw new Error(`the ${name} are damaged: ${bytes.length} bytes`);
  return {
    name,
    inputs: { values: bytes.subarray(0, 784 * count), scale: 1 / 255, count },
    targets: { labels: Int32Array.from(bytes.subarray(784 * count)) },
    width: 784,
    schema: { input_shape: [28, 28], scale: 1 / 255, classes: DIGIT_CLASSES },
  };
}
