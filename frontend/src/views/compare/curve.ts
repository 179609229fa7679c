/** The shape of a curve of figures over something: scales and paths. */

import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import type { Point } from "../../state/tried.svelte.ts";

export const MARGIN = { left: 44, right: 20, top: 8, bottom: 22 };

export function chart(
  width: number,
  height: number,
  range: readonly [number, number],
  lines: readonly (readonly Point[])[],
) {
  const lowest = Math.min(0, ...lines.flat().map(([, figure]) => Math.max(-1, figure)));
  const x = scaleLinear(range, [MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear([lowest, 1], [height - MARGIN.bottom, MARGIN.top]).clamp(true);
  const path = line<Point>(
    ([at]) => x(at),
    ([, figure]) => y(figure),
  );
  return { x, y, paths: lines.map((points) => path([...points]) ?? "") };
}

/** The figure at `at`, straight between the two points around it; null beyond them. */
export function figureAt(points: readonly Point[], at: number): number | null {
  const next = points.findIndex(([place]) => place >= at);
  if (next < 0) return null;
  const [place, figure] = points[next];
  if (next === 0 || place === at) return place === at ? figure : null;
  const [before, last] = points[next - 1];
  return last + ((figure - last) * (at - before)) / (place - before);
}
