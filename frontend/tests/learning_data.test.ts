/** What the page learns from: toy shapes, start values, tables. */

import { describe, expect, test } from "vitest";
import { kernel } from "./kernel.ts";
import { columnsOf } from "../src/data/csv.ts";
import { heldOut } from "../src/data/held_out.ts";
import { columnsIn, tableOf } from "../src/data/table.ts";
import { toy, TOYS } from "../src/data/toys.ts";
import { normal } from "../src/core/random.ts";
import { Architecture } from "../src/network/architecture.ts";
import { INITIALIZERS } from "../src/generated/tables.ts";
import { initial } from "../src/network/initializers.ts";

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
const spread = (values: Float32Array): number => {
  const center = mean(values);
  return Math.sqrt(mean(values.map((x) => (x - center) ** 2)));
};
const labelsOf = (data: { targets: object }): number[] => [...(data.targets as { labels: Int32Array }).labels];

describe.each(TOYS)("%s", (name) => {
  test("has its points, half of them blue, and is the same for the same seed", () => {
    const data = toy(kernel, name, 500, 0, 3);
    expect(data.inputs.values).toHaveLength(1000);
    expect(data.inputs.values.every((x) => Math.abs(x) < 6.5)).toBe(true);
    expect(Math.abs(mean(labelsOf(data)) - 0.5)).toBeLessThan(0.1);
    expect(toy(kernel, name, 500, 0, 3)).toEqual(data);
    expect(toy(kernel, name, 500, 0, 4)).not.toEqual(data);
  });
});

test.each([
  ["circle", (x: number, y: number) => Math.hypot(x, y) < 2.5],
  ["xor", (x: number, y: number) => x * y >= 0],
] as const)("%s is labelled by its shape", (name, blue) => {
  const data = toy(kernel, name, 200, 0, 0);
  const wanted = labelsOf(data).map((_, i) => Number(blue(data.inputs.values[2 * i], data.inputs.values[2 * i + 1])));
  expect(labelsOf(data)).toEqual(wanted);
});

test("normal numbers have the moments of the normal distribution", () => {
  const drawn = Float32Array.from(normal(kernel, 5, 200_000));
  expect(mean(drawn)).toBeCloseTo(0, 2);
  expect(spread(drawn)).toBeCloseTo(1, 2);
  expect(mean(drawn.map((x) => x ** 4))).toBeCloseTo(3, 1);
  expect(mean(drawn.map((x) => Number(Math.abs(x) < 1.96)))).toBeCloseTo(0.95, 2);
});

test.each(INITIALIZERS)("%s has its variance, and biases of zero", (rule) => {
  const variance = {
    ...{ he_normal: 2 / 300, he_uniform: 2 / 300, glorot_normal: 2 / 500, glorot_uniform: 2 / 500 },
    ...{ lecun_normal: 1 / 300, lecun_uniform: 1 / 300, normal: 1, uniform: 1 / 900, zeros: 0 },
  }[rule];
  const architecture = new Architecture([300, 200], ["relu"]);
  const parameters = initial(kernel, 1, architecture, rule);
  const weights = parameters.subarray(0, 60_000);
  expect(spread(weights) ** 2).toBeLessThanOrEqual(1.03 * variance);
  expect(spread(weights) ** 2).toBeGreaterThanOrEqual(0.97 * variance);
  expect(parameters.subarray(60_000).every((bias) => bias === 0)).toBe(true);
});

describe("a table", () => {
  const made = (text: string, target?: string) =>
    tableOf(columnsOf(text, "t.csv"), "t.csv", target ?? columnsOf(text, "t.csv").at(-1)!.name);

  test("has its columns standardised, and text in the last as classes", () => {
    const { data, notes } = made("a,b,kind\n1,10,x\n2,10.5,y\n3,11,x\n");
    const third = Math.sqrt(1.5);
    [-third, -third, 0, 0, third, third].forEach((x, i) => expect(data.inputs.values[i]).toBeCloseTo(x, 6));
    expect(data.targets).toEqual({ labels: Int32Array.of(0, 1, 0) });
    expect(data.schema).toMatchObject({
      features: ["a", "b"],
      classes: ["x", "y"],
      target: "kind",
      centers: [2, 10.5],
    });
    expect(notes).toEqual([]);
  });

  test("may have another target: a measurement", () => {
    const { data, notes } = made("a;b;kind\n1.5;10;x\n2;10.5;y\n3;11;x\n", "a");
    expect(data.targets).toEqual({ rows: Float32Array.of(1.5, 2, 3) });
    expect(data.schema.features).toEqual(["b"]);
    expect(notes).toEqual(["columns left out, text that hardly repeats: kind"]);
  });

  test("fills what is missing with the mean, and leaves out rows without a target", () => {
    const { data, notes } = made("a\tyes\n1\ttrue\n?\tfalse\n3\tTRUE\n9\t\n");
    expect([...data.inputs.values]).toEqual([-1, 0, 1]);
    expect(data.schema.classes).toEqual(["false", "true"]);
    expect(labelsOf(data)).toEqual([1, 0, 1]);
    expect(notes).toEqual([
      "rows left out, without a target: 1",
      "missing values filled with the column's mean: a (1)",
    ]);
  });

  test("reads quotes, and a byte order mark", () => {
    expect(columnsOf('\uFEFF"a, b",c\n"1",2\n', "t.csv").map(({ name }) => name)).toEqual(["a, b", "c"]);
  });

  test.each([
    ["a,b\n1,1\n2,2\nabc,1\n4,2\n", 'Column "a" has "abc" in row 3 below the header. A number is needed'],
    ["a,b\n1,1\n1e999,2\n", 'Column "a" has "Infinity" in row 2 below the header'],
    ["a,b\n1,1\n2\n", "t.csv has 1 cells in row 2 below the header, which names 2"],
    ["a,a\n1,1\n", 'more than one column named "a"'],
    ["a,b\n", "a header and no rows"],
    ["", "is no table"],
    ["a,b\n1,5\n2,5\n", 'The target "b" has 5 in every row'],
    ["a,b\n1,5\n1,6\n", "no column to learn from (columns left out, constant: a)"],
  ])("says what is wrong with %j", (text, words) => {
    expect(() => made(text)).toThrow(words);
  });

  test("comes out of a single file as it went in", () => {
    const raw = {
      name: "sample",
      inputs: { values: Float32Array.of(1, 10, 2, 10.5, 3, 11), scale: 1, count: 3 },
      targets: { labels: Int32Array.of(0, 1, 0) },
      width: 2,
      schema: { features: ["a", "b"], classes: ["x", "y"], target: "kind" },
    };
    const { data } = tableOf(columnsIn(raw), "sample", "kind");
    expect(data).toEqual({ ...made("a,b,kind\n1,10,x\n2,10.5,y\n3,11,x\n").data, name: "sample" });
  });
});

test("a fifth of the examples is held out, each in one part", () => {
  const data = toy(kernel, "xor", 12, 0, 0);
  const { train, test: out } = heldOut(kernel, data, 0);
  expect([train.inputs.count, out.inputs.count]).toEqual([10, 2]);
  const rows = (part: { inputs: { values: ArrayLike<number> } }): string[] =>
    Array.from({ length: part.inputs.values.length / 2 }, (_, i) => `${part.inputs.values[2 * i]}`);
  expect([...rows(train), ...rows(out)].sort()).toEqual(rows(data).sort());
});
