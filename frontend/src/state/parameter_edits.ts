/** The knobs by hand: each turn is a new network and one line in words. While a knob is held, its turns are one step. */

import { short, whole } from "../draw/numbers.ts";
import type { Squish } from "../core/names.ts";
import { inputName } from "../network/labels.ts";
import { addressText, type Address, type Network } from "../network/network.ts";
import type { Edits } from "./edits.ts";

/** What is turned at: the workspace. */
export interface Turned {
  readonly network: Network;
  readonly edits: Edits;
  change(network: Network, what: string, key: string | null): void;
}

export function turnBias(at: Turned, address: Address, bias: number): void {
  const key = `bias ${addressText(address)}`;
  if (Math.fround(bias) === at.network.bias(address)) return;
  const was = held(at, key).bias(address);
  const what = `bias of ${addressText(address)}: ${short(was)} → ${short(bias)}`;
  at.change(at.network.edit(address, { bias }), what, key);
}

export function turnWeight(at: Turned, address: Address, input: number, weight: number): void {
  const key = `weight ${addressText(address)} ${input}`;
  if (Math.fround(weight) === at.network.weights(address)[input]) return;
  const was = held(at, key).weights(address)[input];
  const from = inputName(at.network, address.layer, input);
  const what = `weight of ${addressText(address)} for ${from}: ${short(was)} → ${short(weight)}`;
  at.change(at.network.edit(address, { weights: new Map([[input, weight]]) }), what, key);
}

/** All `inputs` get the same weight. */
export function paintWeights(at: Turned, address: Address, inputs: readonly number[], weight: number): void {
  const key = `painting ${addressText(address)}`;
  const now = at.network.weights(address);
  const changed = inputs.filter((input) => now[input] !== Math.fround(weight));
  if (changed.length === 0) return;
  const after = at.network.edit(address, { weights: new Map(changed.map((input) => [input, weight])) });
  const before = held(at, key).weights(address);
  const count = after.weights(address).reduce((sum, value, i) => sum + Number(value !== before[i]), 0);
  const to = weight === 0 ? "erased" : `painted with ${short(weight)}`;
  at.change(after, `${whole(count)} ${count === 1 ? "weight" : "weights"} of ${addressText(address)} ${to}`, key);
}

export function chooseSquish(at: Turned, layer: number, squish: Squish): void {
  const was = at.network.activation(layer);
  if (squish === was) return;
  at.change(at.network.withActivation(layer, squish), `squish of layer ${layer}: ${was} → ${squish}`, null);
}

/** The network as it was when this knob was taken hold of. */
function held({ network, edits }: Turned, key: string): Network {
  const last = edits.done.at(-1);
  return last?.key === key ? last.before : network;
}
