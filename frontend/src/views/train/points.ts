/** The examples as points: filled those that are learnt from, rings those held out; in the colours of `field.ts`. */

import type { Dataset } from "../../data/dataset.ts";
import { colours, css, grey, type Rgb } from "../../draw/colours.ts";
import type { Parts } from "../../state/setup.svelte.ts";
import type { Extent } from "../../training/activation_fields.ts";
import { rangeOf } from "./plane_colours.ts";

const SIZE = 512; // pixels; the styles make it smaller
const RADIUS = 7;

export function paintPoints(canvas: HTMLCanvasElement, { train, test }: Parts, extent: Extent, output: number): void {
  canvas.width = canvas.height = SIZE;
  const context = canvas.getContext("2d")!;
  const at = (value: number, [low, high]: readonly [number, number]): number => ((value - low) / (high - low)) * SIZE;
  const circle = (data: Dataset, i: number): void => {
    const { values } = data.inputs;
    context.beginPath();
    context.arc(at(values[2 * i], extent.x), SIZE - at(values[2 * i + 1], extent.y), RADIUS, 0, 2 * Math.PI);
  };
  const paper = css(colours().paper);
  for (let i = 0; i < train.inputs.count; i++) {
    circle(train, i);
    context.fillStyle = css(colourOf(train, i, output));
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = paper;
    context.stroke();
  }
  for (let i = 0; i < test.inputs.count; i++) {
    circle(test, i);
    context.fillStyle = paper;
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = css(colourOf(test, i, output));
    context.stroke();
  }
}

function colourOf({ targets, schema }: Dataset, i: number, output: number): Rgb {
  if ("rows" in targets) {
    const [low, high] = rangeOf(targets.rows);
    return grey((targets.rows[i] - low) / (high - low || 1));
  }
  const { positive, negative, ink } = colours();
  if (schema.classes?.length === 2) return targets.labels[i] === 1 ? positive : negative;
  return targets.labels[i] === output ? ink : grey(0.25);
}
