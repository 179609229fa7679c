/** The shape of a curve of figures over something: scales and paths. */

import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import type { Point } from "../../state/comparison_results.svelte.ts";

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
