/** What is many in the picture of a network, on one canvas: the input picture, connections, cells. Discs, bars and words
 * are few and lie above it as SVG. */

import type { Address } from "../network/network.ts";
import type { Trace } from "../network/trace.ts";
import { colours, css, grey, mix, signedColour, type Rgb } from "./colours.ts";
import { placeOf, rowsOf, type Column, type Layout } from "./columns.ts";
import { ofNeuron, paintConnections, strongest, type Connections } from "./connections.ts";
import { largest, paintPixels } from "./picture.ts";
import { colourOf, inputScale, scaleOf } from "./activation_scale.ts";

export interface Looking {
  /** Only this neuron's connections, and its template over the picture. */
  readonly neuron: Address | null;
  /** Only the connections into this layer. */
  readonly lit: number | null;
  /** A flat vector whose numbers are shown in place of weight x activation: a gradient. */
  readonly flat: Float32Array | null;
  /** How far the signal has come, 0 to 1: beyond, nothing is drawn yet. */
  readonly reach: number;
}

export function paintNetwork(canvas: HTMLCanvasElement, layout: Layout, trace: Trace, looking: Looking): void {
  const ratio = window.devicePixelRatio;
  const [width, height] = [Math.round(layout.width * ratio), Math.round(layout.height * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, layout.width, layout.height);
  const [inputs] = layout.columns;
  if (inputs.kind === "picture") paintInput(context, inputs, trace, looking);
  context.save();
  context.beginPath();
  if (layout.flow === "right") context.rect(0, 0, looking.reach * layout.width, layout.height);
  else context.rect(0, 0, layout.width, looking.reach * layout.height);
  context.clip();
  for (const drawn of connectionsOf(layout, trace, looking)) paintConnections(context, layout, drawn);
  layout.columns.forEach((column) => column.kind === "cells" && paintCells(context, column, trace));
  context.restore();
}

export function connectionsOf(layout: Layout, trace: Trace, { neuron, lit, flat }: Looking): Connections[] {
  // A template over the picture stands for the lines from it.
  if (neuron)
    return ofNeuron(trace, neuron, flat).filter(({ layer }) => layer > 0 || layout.columns[0].kind !== "picture");
  return trace.layers.flatMap((_, layer) => (lit === null || lit === layer ? [strongest(trace, layer, flat)] : []));
}

const small = document.createElement("canvas");

function paintInput(context: CanvasRenderingContext2D, column: Column, trace: Trace, { neuron, flat }: Looking): void {
  const { perRow: width, count } = column;
  const height = count / width;
  paintPixels(
    small,
    width,
    height,
    neuron?.layer === 0 ? templateOver(trace, neuron, flat) : (i) => grey(trace.inputs[i]),
  );
  const [across, down] = [width * column.pitchX, height * column.pitchY];
  context.imageSmoothingEnabled = false;
  context.drawImage(small, column.x, column.y, across, down);
  context.strokeStyle = css(mix(colours().paper, colours().ink, 0.4));
  context.lineWidth = 1;
  context.strokeRect(column.x - 0.5, column.y - 0.5, across + 1, down + 1);
}

/** A template (or its row of another flat vector) in its colours, laid over the picture in grey. */
export function templateOver(trace: Trace, neuron: Address, flat: Float32Array | null = null): (i: number) => Rgb {
  const weights = (flat ? trace.network.withParameters(flat) : trace.network).weights(neuron);
  const most = largest(weights) || 1;
  return (i) => {
    const share = weights[i] / most;
    return mix(grey(0.55 * trace.inputs[i]), signedColour(Math.sign(share)), 0.8 * Math.abs(share) ** 0.7);
  };
}

function paintCells(context: CanvasRenderingContext2D, column: Column, trace: Trace): void {
  const layer = trace.layers[column.layer];
  const values = layer ? layer.activations : trace.inputs;
  const scale = layer ? scaleOf(layer.squish, values) : inputScale(values);
  const size = column.pitchX - (column.pitchX > 6 ? 1 : 0);
  // What is between the cells hides the lines behind them.
  context.fillStyle = css(mix(colours().paper, colours().ink, 0.25));
  context.fillRect(column.x - 1, column.y - 1, column.perRow * column.pitchX + 1, rowsOf(column) * column.pitchY + 1);
  for (let index = column.first; index < column.first + column.shown; index++) {
    const { x, y } = placeOf(column, index);
    context.fillStyle = css(colourOf(values[index], scale));
    context.fillRect(x - column.radius, y - column.radius, size, size);
  }
}
