/** Inputs that are columns of a table: their values as the table has them. A network reads a column less
 * its center, divided by its spread (`signature.py`). */

import type { Dataset } from "./dataset.ts";
import type { Network, Signature } from "../network/network.ts";

/** From what the network reads to what the table says. */
export const rawOf = ({ centers, spreads }: Signature, index: number, value: number): number =>
  value * (spreads?.[index] ?? 1) + (centers?.[index] ?? 0);

/** From what the table says to what the network reads. */
export const readOf = ({ centers, spreads }: Signature, index: number, raw: number): number =>
  Math.fround((raw - (centers?.[index] ?? 0)) / (spreads?.[index] ?? 1));

/** Between which values of the table an input usually lies: as in the data, else two spreads around its center. */
export function rangeOf(signature: Signature, data: Dataset | null, index: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  const { values, scale, count } = data?.inputs ?? { values: [], scale: 1, count: 0 };
  for (let row = 0; row < count; row++) {
    const value = values[row * data!.width + index] * scale;
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (!(low < high)) [low, high] = [-2, 2];
  return [rawOf(signature, index, low), rawOf(signature, index, high)];
}

/** Rows as a table has them, as the network reads them. */
export function asRead(data: Dataset, signature: Signature): Dataset {
  if (!signature.centers || data.signature.centers) return data;
  const { values, scale, count } = data.inputs;
  const read = Float32Array.from(values, (value, i) => readOf(signature, i % data.width, value * scale));
  const { centers, spreads } = signature;
  const standardised = { ...data.signature, centers, ...(spreads && { spreads }) };
  return { ...data, inputs: { values: read, scale: 1, count }, signature: standardised };
}

/** Whether these are rows as the network reads them. */
export function fits({ width, signature: has }: Dataset, { architecture, signature }: Network): boolean {
  const same = (a?: unknown[], b?: unknown[]): boolean => JSON.stringify(a) === JSON.stringify(b);
  const { features = has.features, centers, spreads } = signature;
  if (width !== architecture.sizes[0]) return false;
  return same(features, has.features) && same(centers, has.centers) && same(spreads, has.spreads);
}
