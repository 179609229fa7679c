/** Inputs that are columns of a table: their values as the table has them. A network reads a column less
 * its center, divided by its spread (`schema.py`). */

import type { Dataset } from "./dataset.ts";
import type { Network, Schema } from "../network/network.ts";

/** From what the network reads to what the table says. */
export const rawOf = ({ centers, spreads }: Schema, index: number, value: number): number =>
  value * (spreads?.[index] ?? 1) + (centers?.[index] ?? 0);

/** From what the table says to what the network reads. */
export const readOf = ({ centers, spreads }: Schema, index: number, raw: number): number =>
  Math.fround((raw - (centers?.[index] ?? 0)) / (spreads?.[index] ?? 1));

/** Between which values of the table an input usually lies: as in the data, else two spreads around its center. */
export function rangeOf(schema: Schema, data: Dataset | null, index: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  const { values, scale, count } = data?.inputs ?? { values: [], scale: 1, count: 0 };
  for (let row = 0; row < count; row++) {
    const value = values[row * data!.width + index] * scale;
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (!(low < high)) [low, high] = [-2, 2];
  return [rawOf(schema, index, low), rawOf(schema, index, high)];
}

/** Rows as a table has them, as the network reads them. */
export function asRead(data: Dataset, schema: Schema): Dataset {
  if (!schema.centers || data.schema.centers) return data;
  const { values, scale, count } = data.inputs;
  const read = Float32Array.from(values, (value, i) => readOf(schema, i % data.width, value * scale));
  const { centers, spreads } = schema;
  const standardised = { ...data.schema, centers, ...(spreads && { spreads }) };
  return { ...data, inputs: { values: read, scale: 1, count }, schema: standardised };
}

/** Whether these are rows as the network reads them. */
export function fits({ width, schema: has }: Dataset, { architecture, schema }: Network): boolean {
  const same = (a?: unknown[], b?: unknown[]): boolean => JSON.stringify(a) === JSON.stringify(b);
  const { features = has.features, centers, spreads } = schema;
  if (width !== architecture.sizes[0]) return false;
  return same(features, has.features) && same(centers, has.centers) && same(spreads, has.spreads);
}
