import { expect, it } from "vitest";
import { bytesText, histogram, layout } from "../src/views/count/figures.ts";

it("a histogram counts every number once, the ends too", () => {
  const bins = histogram([-1, -0.5, 0, 0.2, 1, 1, NaN, Infinity]);
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(6);
  expect([bins[0].from, bins.at(-1)!.to]).toEqual([-1, 1]);
  expect(bins.at(-1)!.count).toBe(2);
});
it("a histogram of one value is one bin, of none it is empty", () => {
  expect(histogram([3, 3])).toEqual([{ from: 3, to: 3, count: 2 }]);
  expect(histogram([NaN])).toEqual([]);
});
it.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [52_008, "52.0 kB"],
  [15_231_233_024, "15.2 GB"],
])("%i bytes are %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));
it("784 weights are a square, 100,001 are lines of 64", () => {
  expect(layout(784)).toEqual({ width: 28, height: 28 });
  expect(layout(100_001)).toEqual({ width: 64, height: 1563 });
  expect(layout(10)).toEqual({ width: 10, height: 1 });
});
