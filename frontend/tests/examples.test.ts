import { expect, test } from "vitest";
import { digitsOf, exampleOf, type Dataset } from "../src/data/dataset.ts";
import { asRead, fits, rangeOf, rawOf, readOf } from "../src/data/features.ts";
import { greyOf, valuesOf } from "../src/data/grey.ts";
import { examplesOf, nextAfter } from "../src/data/picking.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network, type Schema } from "../src/network/network.ts";

const digits = digitsOf(Uint8Array.from([...new Array(3 * 784).fill(0), 7, 2, 7]), "digits");
const table: Dataset = {
  name: "sample",
  inputs: { values: Float32Array.of(10, 1, 30, 5), scale: 1, count: 2 },
  targets: { rows: Float32Array.of(0, 1) },
  width: 2,
  schema: { features: ["a", "b"] },
};
const schema = { centers: [20, 3], spreads: [10, 2] };

test("examples are offered by class, in their order", () => {
  expect([...examplesOf(digits, 7)]).toEqual([0, 2]);
  expect([...examplesOf(digits, null)]).toEqual([0, 1, 2]);
  expect([...examplesOf(table, 1)]).toEqual([0, 1]);
});

test("after the last comes the first again", () => {
  const wrong = Int32Array.of(4, 9);
  expect([-1, 4, 9, 20].map((current) => nextAfter(wrong, current))).toEqual([4, 9, 4, 4]);
  expect(nextAfter(new Int32Array(), 3)).toBeNull();
});

test("a table's rows are read less their centers, divided by their spreads, and only once", () => {
  const read = asRead(table, schema);
  expect([...exampleOf(read, 1).values]).toEqual([1, 1]);
  expect(asRead({ ...table, schema }, schema).inputs).toBe(table.inputs);
  expect(asRead(read, schema)).toBe(read);
  expect(asRead(table, {})).toBe(table);
  expect(rawOf(schema, 0, readOf(schema, 0, 35))).toBe(35);
});

test("rows fit a network that reads as many columns, of the same names, standardised alike", () => {
  const reads = (told: Schema, width = 2): Network => {
    const architecture = new Architecture([width, 1], ["identity"]);
    return new Network(architecture, new Float32Array(architecture.total), told);
  };
  expect(fits(table, reads({}))).toBe(true);
  expect(fits(table, reads({ features: ["a", "b"] }))).toBe(true);
  expect(fits(table, reads({}, 3))).toBe(false);
  expect(fits(table, reads({ features: ["a", "c"] }))).toBe(false);
  expect(fits(table, reads(schema))).toBe(false);
  expect(fits(asRead(table, schema), reads(schema))).toBe(true);
});

test("sliders go as far as the data, or two spreads around the center", () => {
  expect(rangeOf(schema, asRead(table, schema), 1)).toEqual([1, 5]);
  expect(rangeOf(schema, null, 0)).toEqual([0, 40]);
});

test("grey becomes the very inputs that stored pictures become, and back", () => {
  const grey = Uint8Array.from({ length: 256 }, (_, i) => i);
  const stored = { ...table, inputs: { values: grey, scale: 1 / 255, count: 1 }, width: 256 };
  expect(valuesOf(grey)).toEqual(exampleOf(stored, 0).values);
  expect(greyOf(valuesOf(grey))).toEqual(grey);
  expect([...valuesOf(Uint8Array.of(0, 120, 255), 1 / 16)]).toEqual([0, 0.5, 1]);
});
