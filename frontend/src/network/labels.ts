/** What to call inputs and outputs, in the words of `glassnet explain`. */

import { addressText, type Network, type Schema } from "./network.ts";

/** An input of the network: a column of a table, or its number. */
export const featureName = ({ features }: Schema, index: number): string => features?.[index] ?? `input ${index}`;

/** An input of a layer: a column of a table, a pixel by row and column, or the neuron that it comes from. */
export function inputName(network: Network, layer: number, input: number): string {
  if (layer > 0) return `neuron ${addressText({ layer: layer - 1, neuron: input })}`;
  const { picture, schema } = network;
  if (!picture || schema.features?.[input] !== undefined) return featureName(schema, input);
  return `pixel ${Math.floor(input / picture.width)},${input % picture.width}`;
}

/** An output: its class, the target column, or its number. */
export function outputName({ architecture, schema }: Network, output: number): string {
  const outputs = architecture.sizes.at(-1);
  if (schema.classes?.length === outputs) return schema.classes![output];
  return schema.target !== undefined && outputs === 1 ? schema.target : `output ${output}`;
}

const MOST_CHARACTERS = 18;

/** Characters of the longest name of an input and of an output, as far as there is room for names. */
export function longestNames(network: Network): { inputs: number; outputs: number } {
  const { architecture, schema } = network;
  const longest = (names: readonly string[]): number =>
    Math.min(MOST_CHARACTERS, Math.max(...names.map(({ length }) => length)));
  const outputs = architecture.sizes.at(-1)!;
  return {
    inputs: longest(schema.features ?? [featureName(schema, architecture.sizes[0] - 1)]),
    outputs: longest(outputs === 1 ? [outputName(network, 0)] : (schema.classes ?? [String(outputs - 1)])),
  };
}
