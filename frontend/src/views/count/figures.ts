/** Statistics of a row of weights. */

import { scaleLinear } from "d3-scale";

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** How many values lie where: about so many bins with round bounds; values that are no numbers are left out. */
export function histogram(values: ArrayLike<number>, about = 24): Bin[] {
  const finite = Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) return [];
  const [low, high] = finite.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
  if (low === high) return [{ from: low, to: high, count: finite.length }];
  const bounds = scaleLinear([low, high], [0, 1]).nice(about).ticks(about);
  const bins = bounds.slice(1).map((to, i) => ({ from: bounds[i], to, count: 0 }));
  const width = bounds[1] - bounds[0];
  for (const value of finite)
    bins[Math.max(0, Math.min(bins.length - 1, Math.floor((value - bounds[0]) / width)))].count++;
  return bins;
}

/** 52008 -> 52.0 kB: a thousand bytes each, as `glassnet count` writes them. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** How a row of weights is laid out as a picture: a square where it is one, else lines of at most 64. */
export function layout(count: number): { width: number; height: number } {
  const side = Math.sqrt(count);
  const width = Number.isInteger(side) ? side : Math.min(64, count);
  return { width, height: Math.ceil(count / width) };
}
