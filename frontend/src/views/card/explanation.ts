/** What mattered to a neuron, in the words of `glassnet explain` (src/glassnet/explain/wording.py): its state, the inputs that
 * made it so, what its bias did. Every word follows from the figures by a rule that stands here. */

import { ACTIVATIONS, DEFAULTS } from "../../generated/tables.ts";
import { percent, short, whole } from "../../draw/numbers.ts";
import { inputName } from "../../network/labels.ts";
import type { Network } from "../../network/network.ts";
import type { NeuronTrace } from "../../network/trace.ts";
import { strongest } from "../../network/arithmetic.ts";

/** So many inputs at most are named one by one; where more make half of the sum, no few matter most. */
const MOSTLY = 4;

/** In a sentence without its subject: "is active (0.914): mostly ...". */
export function neuronWords(network: Network, neuron: NeuronTrace): string {
  return `${state(network, neuron)}: ${whatMattered(network, neuron)}; ${whatTheBiasDid(neuron)}.`;
}

/** Over the middle of its range; softmax, which has none, over one half. */
const active = ({ squish, activation, preActivation }: NeuronTrace): boolean =>
  ACTIVATIONS[squish].byRow ? activation > 0.5 : preActivation > 0;

function state(network: Network, neuron: NeuronTrace): string {
  const { address, squish, activation, preActivation } = neuron;
  const last = address.layer === network.architecture.places.length - 1;
  if (ACTIVATIONS[squish].byRow) return `has ${shareText(activation)} with a score of ${short(preActivation)}`;
  if (last && squish === DEFAULTS.plain) return `is ${short(activation)}`;
  return `is ${active(neuron) ? "active" : "inactive"} (${short(activation)})`;
}

/** A share of one that never says 100 % or 0 % of what is only nearly so. */
export function shareText(share: number): string {
  if (share >= 0.9995 && share < 1) return "over 99.9 %";
  if (share > 0 && share < 0.0005) return "under 0.1 %";
  return percent(share);
}

/** The inputs that make up half of all products, added up without their signs; or that no few do. */
export function whatMattered(network: Network, neuron: NeuronTrace): string {
  const sizes = Float64Array.from(neuron.products, Math.abs).sort().reverse();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const working = sizes.findIndex((size) => size === 0);
  if (total === 0) return "nothing comes in, all products are 0";
  let half = 0;
  for (let sum = 0; sum < total / 2; half++) sum += sizes[half];
  if (half <= MOSTLY) return `mostly ${sides(network, neuron, half)}`;
  const counted = `${whole(half)} of ${whole(working < 0 ? sizes.length : working)}`;
  return `many inputs (${counted} make half), most of all ${sides(network, neuron, 3)}`;
}

/** Whether the bias decided, helped or hindered, against the weighted sum that it is added to. */
export function whatTheBiasDid({ weightedSum, bias, preActivation }: NeuronTrace): string {
  if (bias === 0) return "it has no bias";
  if (weightedSum === 0) return `only its bias of ${short(bias)} counts`;
  if (weightedSum > 0 !== preActivation > 0) return `its bias of ${short(bias)} decides`;
  const share = Math.abs(bias / weightedSum);
  if (share < 0.01) return "its bias has little effect";
  const how = share < 0.1 ? " a little" : share < 0.5 ? "" : " a lot";
  return `its bias ${bias > 0 ? "raises it" : "lowers it"}${how}`;
}

/** The `count` strongest inputs, those for it and those against it. */
function sides(network: Network, { address, products }: NeuronTrace, count: number): string {
  const order = strongest(products, count)
    .sort((a, b) => Math.abs(products[b]) - Math.abs(products[a]))
    .filter((i) => products[i] !== 0);
  const named = (side: number[], word: string): string[] =>
    side.length ? [`${listed(side.map((i) => inputName(network, address.layer, i)))}, ${word}`] : [];
  const parts = [
    ...named(
      order.filter((i) => products[i] > 0),
      "for",
    ),
    ...named(
      order.filter((i) => products[i] < 0),
      "against",
    ),
  ];
  return parts.join(", and ");
}

/** `pixels 9,14 and 10,14`, `neurons 1:3, 1:5 and 1:2`, `age and hue`. */
export function listed(names: readonly string[]): string {
  const kinds = new Set(names.map((name) => name.split(" ")[0]));
  const kind = [...kinds][0];
  if (names.length > 1 && kinds.size === 1 && ["pixel", "neuron", "input"].includes(kind))
    return `${kind}s ${joined(names.map((name) => name.slice(kind.length + 1)))}`;
  return joined(names);
}

function joined(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  const comma = names.some((name) => name.includes(",")) ? "; " : ", ";
  return `${names.slice(0, -1).join(comma)} and ${names.at(-1)}`;
}
