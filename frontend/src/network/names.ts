/** What to call inputs and outputs, in the words of `glassnet explain`. */

import { addressText, type Network } from "./network.ts";

/** An input of a layer: a column of a table, a pixel by row and column, or the neuron that it comes from. */
export function inputName(network: Network, layer: number, input: number): string {
  if (layer > 0) return `neuron ${addressText({ layer: layer - 1, neuron: input })}`;
  const feature = network.signature.features?.[input];
  if (feature !== undefined) return feature;
  const picture = network.picture;
  return picture ? `pixel ${Math.floor(input / picture.width)},${input % picture.width}` : `input ${input}`;
}

/** An output: its class, the target column, or its number. */
export function outputName({ architecture, signature }: Network, output: number): string {
  const outputs = architecture.sizes.at(-1);
  if (signature.classes?.length === outputs) return signature.classes![output];
  return signature.target !== undefined && outputs === 1 ? signature.target : `output ${output}`;
}
