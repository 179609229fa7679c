/** A soft round pen on a picture of grey values, 0 = paper, 255 = ink, as MNIST's are. */

import type { Point } from "./columns.ts";

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8Array;
}

export type Tool = "pen" | "rubber";

/** How far full ink reaches from the pen's path, and how wide its soft edge is, in pixels of a 28x28 picture. */
const CORE = { pen: 0.75, rubber: 1.6 };
const EDGE = 0.9;
/** On small pictures the pen stays thick enough to leave no gaps. */
const THINNEST = 0.6;

/** Draws from one point to another, in pixels from the left upper corner. Changes the picture. */
export function stroke(picture: Picture, from: Point, to: Point, tool: Tool): void {
  const { width, height, grey } = picture;
  const unit = Math.max(THINNEST, Math.max(width, height) / 28);
  const reach = unit * (CORE[tool] + EDGE);
  const [left, right] = [Math.min(from.x, to.x) - reach, Math.max(from.x, to.x) + reach];
  const [top, bottom] = [Math.min(from.y, to.y) - reach, Math.max(from.y, to.y) + reach];
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(height, bottom); row++)
    for (let column = Math.max(0, Math.floor(left)); column < Math.min(width, right); column++) {
      const away = distance({ x: column + 0.5, y: row + 0.5 }, from, to) / unit;
      const ink = Math.round(255 * soft((CORE[tool] + EDGE - away) / EDGE));
      const at = row * width + column;
      grey[at] = tool === "pen" ? Math.max(grey[at], ink) : Math.min(grey[at], 255 - ink);
    }
}

/** From 0 to 1 without a kink at either end. */
function soft(share: number): number {
  const t = Math.min(1, Math.max(0, share));
  return t * t * (3 - 2 * t);
}

/** From a point to a segment. */
function distance(at: Point, from: Point, to: Point): number {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const length = x * x + y * y;
  const share = length ? Math.min(1, Math.max(0, ((at.x - from.x) * x + (at.y - from.y) * y) / length)) : 0;
  return Math.hypot(at.x - from.x - share * x, at.y - from.y - share * y);
}
