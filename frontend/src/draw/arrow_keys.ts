/** Walking from neuron to neuron with the arrow keys: within a layer as it is laid out, at its edge on to the next one. */

import type { Address } from "../network/network.ts";
import { placeOf, rowsOf, type Column, type Layout } from "./columns.ts";

const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Where a key leads from a neuron; null if it leads nowhere. */
export function walk({ columns, flow }: Layout, { layer, neuron }: Address, key: string): Address | null {
  const column = columns[layer + 1];
  if (key === "Home") return { layer, neuron: 0 };
  if (key === "End") return { layer, neuron: column.count - 1 };
  const step = STEPS[key];
  if (!step) return null;
  const inside = within(column, neuron, step);
  if (inside !== null) return { layer, neuron: inside };
  const onward = flow === "right" ? step[0] : step[1];
  const next = layer + onward < 0 ? undefined : columns[layer + 1 + onward];
  if (!onward || !next) return null;
  return { layer: next.layer, neuron: nearest(next, column, neuron, flow) };
}

function within({ count, perRow }: Column, neuron: number, [across, down]: readonly [number, number]): number | null {
  const place = (neuron % perRow) + across;
  const to = neuron + across + down * perRow;
  return place >= 0 && place < perRow && to >= 0 && to < count ? to : null;
}

/** The neuron of the next column that stands closest, seen across the flow, on the side where one comes in. */
function nearest(next: Column, from: Column, neuron: number, flow: Layout["flow"]): number {
  const at = placeOf(from, neuron);
  const back = next.layer < from.layer;
  const rows = rowsOf(next);
  let best = next.first;
  let distance = Infinity;
  for (let index = next.first; index < next.first + next.shown; index++) {
    const k = index - next.first;
    const edge = flow === "right" ? (back ? next.perRow - 1 : 0) : back ? rows - 1 : 0;
    const here = flow === "right" ? k % next.perRow : Math.floor(k / next.perRow);
    const place = placeOf(next, index);
    const away = (flow === "right" ? Math.abs(place.y - at.y) : Math.abs(place.x - at.x)) + 1e4 * Math.abs(here - edge);
    if (away < distance) [best, distance] = [index, away];
  }
  return best;
}
