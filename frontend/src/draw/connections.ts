/** Which connections are drawn, and how: in the overview the strongest of each layer, else those of one neuron. A connection
 * is as strong as what it carries, weight x activation; colour is its sign, width and opacity its size in its layer. */

import type { Address } from "../network/network.ts";
import type { Trace } from "../network/trace.ts";
import { colours, css } from "./colours.ts";
import { isShown, placeOf, rowsOf, type Column, type Flow, type Layout, type Point } from "./columns.ts";

/** Connections into one layer, the weakest first. */
export interface Connections {
  readonly layer: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What each carries. */
  readonly values: Float32Array;
  /** The largest size in the whole layer, drawn or not. */
  readonly most: number;
}

/** Lifts what is small, so that faint structure is seen. */
const LIFT = 0.4;
const MOST_LINES = 90;
const MOST_OF_ONE = 512;
/** Layers of more connections than this are not searched for the strongest at each stroke of the pen. */
export const MOST_SEARCHED = 1_500_000;

/** The strongest connections into a layer. `flat`: another vector to show in place of weight x activation, a gradient. */
export function strongest(
  trace: Trace,
  layer: number,
  flat: Float32Array | null = null,
  count = MOST_LINES,
): Connections {
  const { fanIn, fanOut } = trace.network.architecture.places[layer];
  const live = liveInputs(trace, layer, flat);
  if (live.length * fanOut > MOST_SEARCHED) return none(layer);
  const heap = new Strongest(count);
  for (let to = 0; to < fanOut; to++) {
    const value = carried(trace, { layer, neuron: to }, flat);
    for (const from of live) heap.offer(value(from), to * fanIn + from);
  }
  return heap.taken(layer, fanIn);
}

/** All connections into one neuron, or out of it. */
export function ofNeuron(trace: Trace, { layer, neuron }: Address, flat: Float32Array | null = null): Connections[] {
  const found: Connections[] = [];
  const { fanIn } = trace.network.architecture.places[layer];
  const into = new Strongest(MOST_OF_ONE);
  const value = carried(trace, { layer, neuron }, flat);
  for (let from = 0; from < fanIn; from++) into.offer(value(from), neuron * fanIn + from);
  found.push(into.taken(layer, fanIn));
  const next = trace.network.architecture.places[layer + 1];
  if (next) {
    const out = new Strongest(MOST_OF_ONE);
    for (let to = 0; to < next.fanOut; to++)
      out.offer(carried(trace, { layer: layer + 1, neuron: to }, flat)(neuron), to * next.fanIn + neuron);
    found.push(out.taken(layer + 1, next.fanIn));
  }
  return found;
}

/** What the connection from input `from` carries into a neuron. */
function carried(trace: Trace, address: Address, flat: Float32Array | null): (from: number) => number {
  const { start, fanIn } = trace.network.architecture.places[address.layer];
  const row = (flat ?? trace.network.parameters).subarray(
    start + address.neuron * fanIn,
    start + (address.neuron + 1) * fanIn,
  );
  const { inputs } = trace.layers[address.layer];
  return flat ? (from) => row[from] : (from) => row[from] * inputs[from];
}

/** Inputs of a layer that are not zero: nothing comes from the others. */
function liveInputs(trace: Trace, layer: number, flat: Float32Array | null): number[] {
  const { inputs } = trace.layers[layer];
  const live: number[] = [];
  for (let i = 0; i < inputs.length; i++) if (flat || inputs[i] !== 0) live.push(i);
  return live;
}

const none = (layer: number): Connections => ({
  ...{ layer, from: new Int32Array(), to: new Int32Array(), values: new Float32Array(), most: 0 },
});

/** Keeps the `count` values of largest size that it is offered: a heap with the smallest of them on top. */
class Strongest {
  readonly #count: number;
  #values: number[] = [];
  #keys: number[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  offer(value: number, key: number): void {
    const size = Math.abs(value);
    if (!(size > 0)) return;
    const [values, keys] = [this.#values, this.#keys];
    let at: number;
    if (values.length < this.#count) {
      at = values.length;
      while (at > 0 && Math.abs(values[(at - 1) >> 1]) > size) {
        [values[at], keys[at]] = [values[(at - 1) >> 1], keys[(at - 1) >> 1]];
        at = (at - 1) >> 1;
      }
    } else {
      if (size <= Math.abs(values[0])) return;
      at = 0;
      for (let child = 1; child < values.length; child = 2 * at + 1) {
        if (child + 1 < values.length && Math.abs(values[child + 1]) < Math.abs(values[child])) child++;
        if (Math.abs(values[child]) >= size) break;
        [values[at], keys[at]] = [values[child], keys[child]];
        at = child;
      }
    }
    [values[at], keys[at]] = [value, key];
  }

  taken(layer: number, fanIn: number): Connections {
    const order = [...this.#values.keys()].sort((a, b) => Math.abs(this.#values[a]) - Math.abs(this.#values[b]));
    return {
      layer,
      from: Int32Array.from(order, (i) => this.#keys[i] % fanIn),
      to: Int32Array.from(order, (i) => Math.floor(this.#keys[i] / fanIn)),
      values: Float32Array.from(order, (i) => this.#values[i]),
      most: Math.abs(this.#values[order[order.length - 1]] ?? 0),
    };
  }
}

const LEVELS = 10;

/** Lines of one sign and about the same strength are one path: few calls, however many lines. */
export function paintConnections(context: CanvasRenderingContext2D, layout: Layout, drawn: Connections): void {
  if (drawn.most === 0) return;
  const [before, after] = [layout.columns[drawn.layer], layout.columns[drawn.layer + 1]];
  const { positive, negative } = colours();
  const levelOf = (value: number): number => Math.ceil(LEVELS * (Math.abs(value) / drawn.most) ** LIFT);
  for (let i = 0; i < drawn.values.length;) {
    const level = levelOf(drawn.values[i]);
    const paths = { positive: new Path2D(), negative: new Path2D() };
    for (; i < drawn.values.length && levelOf(drawn.values[i]) === level; i++)
      if (isShown(before, drawn.from[i]) && isShown(after, drawn.to[i]))
        curve(
          drawn.values[i] < 0 ? paths.negative : paths.positive,
          leaving(before, drawn.from[i], layout.flow),
          arriving(after, drawn.to[i], layout.flow),
          layout.flow,
        );
    const share = level / LEVELS;
    context.lineWidth = 0.5 + 2.2 * share * share;
    context.strokeStyle = css(negative, 0.12 + 0.75 * share * share);
    context.stroke(paths.negative);
    context.strokeStyle = css(positive, 0.12 + 0.75 * share * share);
    context.stroke(paths.positive);
  }
}

function leaving(column: Column, index: number, flow: Flow): Point {
  const { x, y } = placeOf(column, index);
  const [right, bottom] = [column.x + column.perRow * column.pitchX, column.y + rowsOf(column) * column.pitchY];
  if (column.kind === "cells") return flow === "right" ? { x: right, y } : { x, y: bottom };
  return flow === "right" ? { x: x + column.radius, y } : { x, y: y + column.radius };
}

function arriving(column: Column, index: number, flow: Flow): Point {
  const { x, y } = placeOf(column, index);
  if (column.kind === "cells") return flow === "right" ? { x: column.x, y } : { x, y: column.y };
  if (column.kind === "bars") return flow === "right" ? { x: column.x - 4, y } : { x, y: column.y - 4 };
  return flow === "right" ? { x: x - column.radius, y } : { x, y: y - column.radius };
}

function curve(path: Path2D, from: Point, to: Point, flow: Flow): void {
  path.moveTo(from.x, from.y);
  if (flow === "right") {
    const bend = 0.4 * (to.x - from.x);
    path.bezierCurveTo(from.x + bend, from.y, to.x - bend, to.y, to.x, to.y);
  } else {
    const bend = 0.4 * (to.y - from.y);
    path.bezierCurveTo(from.x, from.y + bend, to.x, to.y - bend, to.x, to.y);
  }
}
