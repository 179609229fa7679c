import { describe, expect, it } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { neuronTrace, Tracer } from "../src/network/trace.ts";
import { between, brushWeight, covered, gridOf } from "../src/views/card/weight_brush.ts";
import { ariaSort, clicked, LARGEST_FIRST, sorted } from "../src/views/card/sorting.ts";
import { typed } from "../src/views/card/parse_number.ts";
import { kernel } from "./kernel.ts";

describe("a typed number", () => {
  it.each([
    ["0.5", 0.5],
    [" -1.25 ", -1.25],
    ["\u22122", -2],
    ["+.5", 0.5],
    ["3.", 3],
    ["1e-3", Math.fround(1e-3)],
    ["1/3", Math.fround(1 / 3)],
    ["-1 / 4", -0.25],
  ])("%s is read", (text, value) => expect(typed(text)).toEqual({ value }));

  it.each([
    ["abc", "\u201cabc\u201d is no number: type one like 0.5, \u22121.2 or 1/3."],
    ["", "Nothing is no number: type one like 0.5, \u22121.2 or 1/3."],
    ["1,5", "\u201c1,5\u201d is no number: type one like 0.5, \u22121.2 or 1/3."],
    ["1/2/3", "\u201c1/2/3\u201d is no number: type one like 0.5, \u22121.2 or 1/3."],
    ["Infinity", "\u201cInfinity\u201d is no number: type one like 0.5, \u22121.2 or 1/3."],
    ["1/0", "\u201c1/0\u201d divides by 0: type another number below the stroke."],
    ["1e39", "\u201c1e39\u201d is too large: 3.4e38 is the most that fits."],
  ])("%j is refused in plain words", (text, problem) => expect(typed(text)).toEqual({ problem }));
});

describe("the brush", () => {
  const grid = { width: 4, height: 3 };
  it("covers a disc, and nothing beyond the picture", () => {
    expect(covered(grid, 12, { x: 1, y: 1 }, 1)).toEqual([5]);
    expect(covered(grid, 12, { x: 1, y: 1 }, 2)).toEqual([1, 4, 5, 6, 9]);
    expect(covered(grid, 12, { x: 0, y: 0 }, 3)).toEqual([0, 1, 4, 5]);
    expect(covered(grid, 11, { x: 3, y: 2 }, 1)).toEqual([]);
  });
  it("leaves no gaps in a quick stroke", () => {
    expect(between({ x: 0, y: 0 }, { x: 3, y: 1 })).toEqual([
      { x: 1, y: 0 },
      { x: 2, y: 1 },
      { x: 3, y: 1 },
    ]);
    expect(between({ x: 2, y: 2 }, { x: 2, y: 2 })).toEqual([{ x: 2, y: 2 }]);
  });
  it("makes weights positive, negative or nothing", () => {
    expect([brushWeight("positive", 2), brushWeight("negative", 2), brushWeight("erase", 2)]).toEqual([2, -2, 0]);
  });
  it("finds weights that are no picture in lines", () => {
    expect(gridOf(null, 16)).toEqual({ width: 16, height: 1 });
    expect(gridOf(null, 100)).toEqual({ width: 32, height: 4 });
    expect(gridOf({ width: 28, height: 28 }, 784)).toEqual({ width: 28, height: 28 });
  });
});

describe("the table of terms", () => {
  const network = new Network(new Architecture([4, 1], ["relu"]), Float32Array.of(1, -3, 2, 0, 0));
  const trace = new Tracer(kernel).trace(network, Float32Array.of(4, 1, 0, 1));
  const neuron = neuronTrace(trace, { layer: 0, neuron: 0 }); // products 4, -3, 0, 0

  it("is sorted by size, descending and ascending, and by input", () => {
    let sorting = LARGEST_FIRST;
    expect([...sorted(neuron, sorting)]).toEqual([0, 1, 2, 3]);
    sorting = clicked(sorting, "product");
    expect([...sorted(neuron, sorting)]).toEqual([0, 2, 3, 1]);
    sorting = clicked(sorting, "product");
    expect([...sorted(neuron, sorting)]).toEqual([1, 2, 3, 0]);
    expect(clicked(sorting, "product")).toEqual(LARGEST_FIRST);
    sorting = clicked(sorting, "weight");
    expect([...sorted(neuron, sorting)]).toEqual([1, 2, 0, 3]);
    sorting = clicked(clicked(sorting, "input"), "input");
    expect([...sorted(neuron, sorting)]).toEqual([3, 2, 1, 0]);
  });

  it("is sorted by the gradients of a step of training, while there are any", () => {
    const sorting = clicked(LARGEST_FIRST, "gradient");
    expect([...sorted(neuron, sorting, Float32Array.of(0.1, 0, -0.3, 0.2))]).toEqual([2, 3, 0, 1]);
    expect([...sorted(neuron, sorting)]).toEqual([0, 1, 2, 3]);
  });

  it("tells readers how", () => {
    expect(ariaSort(LARGEST_FIRST, "product")).toBe("other");
    expect(ariaSort(LARGEST_FIRST, "input")).toBe("none");
    expect(ariaSort(clicked(LARGEST_FIRST, "input"), "input")).toBe("ascending");
  });
});
