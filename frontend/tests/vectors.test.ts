/** The same seed gives the same numbers on the page as in Python. */

import { expect, test } from "vitest";
import { digitOf } from "../src/data/fitting.ts";
import { columnsOf } from "../src/data/csv.ts";
import { heldOut } from "../src/data/held_out.ts";
import { tableOf, type Examples } from "../src/data/table.ts";
import { toy, type Toy } from "../src/data/toys.ts";
import { Memory } from "../src/core/memory.ts";
import type { Squish } from "../src/core/names.ts";
import { normal, uniform } from "../src/core/random.ts";
import { Architecture } from "../src/network/architecture.ts";
import type { Initializer } from "../src/core/names.ts";
import { initial } from "../src/network/initializers.ts";
import { paired } from "../src/network/matching.ts";
import { Network, type Schema } from "../src/network/network.ts";
import { varied, type Variation } from "../src/network/perturbations.ts";
import { strongest, worked, type Rest } from "../src/network/arithmetic.ts";
import { kernel } from "./kernel.ts";
import { digest, vectors } from "./vectors.ts";

interface Drawn {
  seed: number;
  uniform: number[];
  normal: number[];
  count: number;
  uniform_digest: string;
  normal_digest: string;
}
test.each(vectors<Drawn>("drawn"))("numbers of seed $seed", (wanted) => {
  const { seed, count } = wanted;
  expect([...uniform(kernel, seed, 4)]).toEqual(wanted.uniform);
  expect([...normal(kernel, seed, 4)]).toEqual(wanted.normal);
  expect(digest(uniform(kernel, seed, count))).toBe(wanted.uniform_digest);
  expect(digest(Float32Array.from(normal(kernel, seed, count)))).toBe(wanted.normal_digest);
});

test.each(vectors<{ seed: number; epoch: number; count: number; order: string }>("orders"))(
  "the order of epoch $epoch of $count examples, seed $seed",
  ({ seed, epoch, count, order }) => {
    const memory = new Memory(kernel);
    const at = memory.lend(8 * count);
    memory.kernel.epoch_order(BigInt(seed), BigInt(epoch), count, at);
    expect(digest(memory.view(BigInt64Array, at, count))).toBe(order);
  },
);

interface Start {
  seed: number;
  sizes: number[];
  activations: Squish[];
  rule: Initializer | "fitting";
  parameters: string;
}
test.each(vectors<Start>("start_values"))("start values of $sizes by $rule, seed $seed", (wanted) => {
  const architecture = new Architecture(wanted.sizes, wanted.activations);
  expect(digest(initial(kernel, wanted.seed, architecture, wanted.rule))).toBe(wanted.parameters);
});

interface Points {
  name: Toy;
  seed: number;
  count: number;
  noise: number;
  inputs: string;
  labels: string;
}
test.each(vectors<Points>("toys"))("$count points of $name with noise $noise, seed $seed", (wanted) => {
  const { inputs, targets } = toy(kernel, wanted.name, wanted.count, wanted.noise, wanted.seed);
  expect(digest(inputs.values)).toBe(wanted.inputs);
  expect(digest((targets as { labels: Int32Array }).labels)).toBe(wanted.labels);
});

test.each(vectors<{ seed: number; count: number; held_out: string }>("splits"))(
  "the rows held out of $count, seed $seed",
  (wanted) => {
    const { count, seed } = wanted;
    const values = Float32Array.from({ length: count }, (_, i) => i);
    const targets = { labels: new Int32Array(count) };
    const data = { name: "rows", inputs: { values, scale: 1, count }, targets, width: 1, schema: {} };
    expect(digest(heldOut(kernel, data, seed).test.inputs.values)).toBe(wanted.held_out);
  },
);

interface Perturbed {
  kind: Exclude<Variation, "round"> | "round_bits";
  strength: number;
  seed: number;
  sizes: number[];
  parameters: string;
}
test.each(vectors<Perturbed>("perturbations"))("$kind of $strength in $sizes, seed $seed", (wanted) => {
  const { kind, strength, seed, sizes } = wanted;
  const squishes = sizes.slice(1).map((_, layer): Squish => (layer < sizes.length - 2 ? "relu" : "identity"));
  const architecture = new Architecture(sizes, squishes);
  const values = initial(kernel, seed, architecture, "fitting").map((value, i) => value + 0.125 * ((i % 3) - 1));
  const network = new Network(architecture, values);
  const changed = varied(kernel, network, kind === "round_bits" ? "round" : kind, strength, seed);
  expect(digest(changed.parameters)).toBe(wanted.parameters);
});

interface Blotted {
  height: number;
  width: number;
  paper: number;
  fall: number;
  blots: [row: number, column: number, tall: number, wide: number, value: number][];
  digit: string | null;
}
test.each(vectors<Blotted>("digits"))("the digit of a picture of $height x $width", (wanted) => {
  const { height, width, paper, fall, blots } = wanted;
  const grey = Uint8ClampedArray.from({ length: height * width }, (_, i) => paper - Math.floor(i / width / fall));
  for (const [row, column, tall, wide, value] of blots)
    for (let y = row; y < Math.min(row + tall, height); y++)
      grey.fill(value, y * width + column, y * width + Math.min(column + wide, width));
  const digit = (): Uint8Array => digitOf(kernel, { height, width, grey: Uint8Array.from(grey) });
  if (wanted.digit === null) expect(digit).toThrow(/blank/);
  else expect(digest(digit())).toBe(wanted.digit);
});

interface Paired {
  sizes: number[];
  activations: Squish[];
  a: string;
  b: string;
  same: boolean;
  places: number[][];
  signs: number[][];
  scales: number[][];
  distance: number;
}
test.each(vectors<Paired>("pairs"))("neurons of $activations.0 networks $distance apart", (wanted) => {
  const architecture = new Architecture(wanted.sizes, wanted.activations);
  const [a, b] = [wanted.a, wanted.b].map(
    (text) => new Network(architecture, new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)),
  );
  const found = paired(kernel, a, b);
  expect(found.same).toBe(wanted.same);
  expect(found.pairs.map((layer) => layer.map((pair) => pair.b))).toEqual(wanted.places);
  expect(found.pairs.map((layer) => layer.map((pair) => pair.sign))).toEqual(wanted.signs);
  found.pairs.flat().forEach((pair, i) => expect(pair.scale).toBeCloseTo(wanted.scales.flat()[i], 4));
  const distance = Math.sqrt(found.inOrder.reduce((sum, value, i) => sum + (value - a.parameters[i]) ** 2, 0));
  expect(distance).toBeCloseTo(wanted.distance, 3);
});

interface Column {
  inputs: number[];
  weights: number[];
  weighted_sum: number | null;
  bias: number;
  pre_activation: number | null;
  top: number;
  rows: [kind: string, what: string, figure: string][] | null;
}
test.each(vectors<Column>("columns"))("the column of a neuron of sum $weighted_sum", (wanted) => {
  const [inputs, weights] = [Float32Array.from(wanted.inputs), Float32Array.from(wanted.weights)];
  const products = Float64Array.from(weights, (weight, i) => weight * inputs[i]);
  const sums = worked(
    {
      address: { layer: 0, neuron: 0 },
      inputs,
      weights,
      products,
      weightedSum: wanted.weighted_sum ?? Infinity,
      bias: wanted.bias,
      preActivation: wanted.pre_activation ?? Infinity,
      squish: "identity",
      activation: 0,
    },
    strongest(products, wanted.top),
  );
  const rest = (line: Rest | null): string[][] => (line ? [["rest", line.what, line.figure]] : []);
  const rows = sums && [
    ...sums.terms.map(({ input, figure }) => ["term", `input ${input}`, figure]),
    ...rest(sums.others),
    ...rest(sums.rounding),
    ["total", "weighted sum", sums.weightedSum],
    ["term", "+ bias", sums.bias],
    ...rest(sums.biasRounding),
    ["total", "pre-activation z", sums.preActivation],
  ];
  expect(rows && rows.map((row) => row.map((text) => text.replace("\u2212", "-")))).toEqual(wanted.rows);
});

interface TableCase {
  name: string;
  file: string;
  target: string;
  table: { inputs: number[]; targets: number[]; schema: Schema; notes: number } | null;
}
test.each(vectors<TableCase>("tables"))("a table: $name", ({ file, target, table }) => {
  const read = (): Examples => tableOf(columnsOf(file, "table.csv"), "table.csv", target);
  if (!table) return expect(read).toThrow();
  const { data, notes } = read();
  const { centers, spreads, ...named } = data.schema;
  const wanted = table.schema;
  expect(named).toEqual({ ...wanted, centers: undefined, spreads: undefined });
  const near = (found: ArrayLike<number>, right: readonly number[]): void => {
    expect(found.length).toBe(right.length);
    right.forEach((value, i) =>
      expect(Math.abs(found[i] - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value))),
    );
  };
  near(centers!, wanted.centers!);
  near(spreads!, wanted.spreads!);
  near(data.inputs.values, table.inputs);
  near("labels" in data.targets ? data.targets.labels : data.targets.rows, table.targets);
  expect(notes).toHaveLength(table.notes);
});
