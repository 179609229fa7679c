/** The outputs' bars: beside their names in a column, above them in a strip. */

import { CHARACTER, placeOf, type Column, type Flow } from "./columns.ts";
import type { Scale } from "./activation_scale.ts";

const VALUE_WIDTH = 48;
/** Of a name and a value, one below the other. */
const WORDS_HEIGHT = 34;

export interface Bars {
  readonly nameWidth: number;
  /** The place of a share, 0 to 1 or −1 to 1, along the bars. */
  readonly at: (share: number) => number;
  /** The share where they begin. */
  readonly least: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** `longest`: characters of the longest name. */
export function barsOf(column: Column, flow: Flow, { twoSided }: Scale, longest: number): Bars {
  const nameWidth = Math.min(0.5 * column.pitchX, 12 + CHARACTER * longest);
  const [start, length] =
    flow === "right"
      ? [column.x + nameWidth, column.pitchX - nameWidth - VALUE_WIDTH - 8]
      : [column.y + column.pitchY - WORDS_HEIGHT, WORDS_HEIGHT + 4 - column.pitchY];
  const least = twoSided ? -1 : 0;
  return { nameWidth, least, at: (share) => start + (length * (share - least)) / (1 - least) };
}

/** The part of a bar between two shares. */
export function barBox({ at }: Bars, column: Column, flow: Flow, index: number, from: number, to: number): Box {
  const { x, y } = placeOf(column, index);
  const [low, high] = [at(from), at(to)].sort((a, b) => a - b);
  const thick = column.radius;
  return flow === "right"
    ? { x: low, y: y - thick, width: high - low, height: 2 * thick }
    : { x: x - thick, y: low, width: 2 * thick, height: high - low };
}
