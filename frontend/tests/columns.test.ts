import { expect, test } from "vitest";
import { indexAt, isShown, layOut, placeOf, rowsOf, type Column, type Shape } from "../src/draw/columns.ts";
import { walk } from "../src/draw/arrow_keys.ts";

const shape = (...sizes: number[]): Shape => ({
  sizes,
  picture: sizes[0] === 784 ? { width: 28, height: 28 } : null,
  longest: { inputs: 6, outputs: 1 },
});
const bottom = (column: Column): number => column.y + rowsOf(column) * column.pitchY;
const right = (column: Column): number => column.x + column.perRow * column.pitchX;

test("the input is a picture, few neurons are discs, many are cells, outputs are bars", () => {
  const kinds = layOut(shape(784, 16, 100, 10), 700, 600).columns.map(({ kind }) => kind);
  expect(kinds).toEqual(["picture", "discs", "cells", "bars"]);
  expect(layOut(shape(4, 30), 700, 600).columns.map(({ kind }) => kind)).toEqual(["discs", "cells"]);
});

test.each([
  [784, 16, 16, 10],
  [4, 8, 3],
  [784, 4096, 30, 1000],
  [300, 8, 8, 8, 8, 8, 8, 8, 8, 2],
])("columns of %i-%i-%i… stand one after the other inside the picture", (...sizes) => {
  const { columns, width, height } = layOut(shape(...sizes), 660, 620);
  columns.forEach((column, i) => {
    expect(column.x).toBeGreaterThanOrEqual(0);
    expect(column.y).toBeGreaterThanOrEqual(0);
    expect(right(column)).toBeLessThanOrEqual(width + 0.01);
    expect(bottom(column)).toBeLessThanOrEqual(height + 0.01);
    if (i > 0) expect(column.x).toBeGreaterThan(right(columns[i - 1]));
  });
});

test("on a phone layers are strips, one below the other", () => {
  const { flow, columns, width } = layOut(shape(784, 16, 2000, 10), 340, 0);
  expect([flow, width]).toEqual(["down", 340]);
  columns.forEach((column, i) => {
    expect(column.x).toBeGreaterThanOrEqual(0);
    expect(right(column)).toBeLessThanOrEqual(340.01);
    if (i > 0) expect(column.y).toBeGreaterThan(bottom(columns[i - 1]));
  });
});

test("a wide layer shows the page with the neuron that is looked at, and pages cover it without a gap", () => {
  const of = (place: number): Column => layOut(shape(784, 5000, 10), 660, 620, [place]).columns[1];
  const first = of(0);
  expect(first.shown).toBeLessThanOrEqual(1024);
  expect(of(first.shown).first).toBe(first.shown);
  const last = of(4999);
  expect(last.first + last.shown).toBe(5000);
  expect(isShown(last, 4999)).toBe(true);
});

test("a point leads back to what stands there", () => {
  for (const column of layOut(shape(784, 300, 16, 10), 660, 620).columns)
    for (const index of [column.first, column.first + column.shown - 1])
      expect(indexAt(column, placeOf(column, index))).toBe(index);
});

test("arrow keys walk down a layer, over to the next, and stop at the ends", () => {
  const layout = layOut(shape(784, 16, 16, 10), 660, 620);
  expect(walk(layout, { layer: 0, neuron: 3 }, "ArrowDown")).toEqual({ layer: 0, neuron: 4 });
  expect(walk(layout, { layer: 0, neuron: 3 }, "ArrowRight")).toEqual({ layer: 1, neuron: 3 });
  expect(walk(layout, { layer: 2, neuron: 9 }, "ArrowLeft")?.layer).toBe(1);
  expect(walk(layout, { layer: 0, neuron: 0 }, "ArrowUp")).toBeNull();
  expect(walk(layout, { layer: 0, neuron: 0 }, "ArrowLeft")).toBeNull();
  expect(walk(layout, { layer: 2, neuron: 0 }, "ArrowRight")).toBeNull();
  expect(walk(layout, { layer: 1, neuron: 7 }, "End")).toEqual({ layer: 1, neuron: 15 });
  expect(walk(layout, { layer: 1, neuron: 7 }, "x")).toBeNull();
});

test("in a grid of cells arrows walk inside it first, and on to the next page", () => {
  const layout = layOut(shape(784, 2000, 10), 660, 620);
  const { perRow, shown } = layout.columns[1];
  expect(walk(layout, { layer: 0, neuron: 0 }, "ArrowRight")).toEqual({ layer: 0, neuron: 1 });
  expect(walk(layout, { layer: 0, neuron: perRow - 1 }, "ArrowRight")?.layer).toBe(1);
  expect(walk(layout, { layer: 0, neuron: shown - 1 }, "ArrowDown")).toEqual({ layer: 0, neuron: shown - 1 + perRow });
});
