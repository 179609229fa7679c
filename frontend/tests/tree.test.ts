import { describe, expect, it } from "vitest";
import type { TensorInfo } from "../src/network/model_file.ts";
import { rowsOf, stepOf, treeOf } from "../src/views/count/tree.ts";

const tensor = (name: string, ...shape: number[]): TensorInfo => {
  const count = shape.reduce((product, n) => product * n, 1);
  return { name, shape, dtype: "F32", count, bytes: 4 * count, neurons: 1 };
};
const TENSORS = [
  tensor("model.layers.0.weight", 16, 784),
  tensor("model.layers.0.bias", 16),
  tensor("model.layers.1.weight", 10, 16),
  tensor("model.layers.1.bias", 10),
  tensor("scale", 1),
];
const tree = treeOf(TENSORS);
const labels = (open: string[]): string[] => rowsOf(tree, new Set(open)).map(({ node }) => node.label);

describe("the tree", () => {
  it("adds up at each branch", () => {
    expect(tree.map(({ label, count, bytes }) => [label, count, bytes])).toEqual([
      ["model.layers", 12_730, 50_920],
      ["scale", 1, 4],
    ]);
  });
  it("joins names between which there is nothing to choose", () => {
    expect(treeOf([tensor("a.b.c", 1)])[0].label).toBe("a.b.c");
  });
  it("keeps a tensor whose name goes on in others", () => {
    const [node] = treeOf([tensor("a", 2), tensor("a.b", 3)]);
    expect([node.count, node.tensor?.name, node.children[0].path]).toEqual([5, "a", "a.b"]);
  });
  it("puts numbered parts in order, others as the file has them", () => {
    const [node] = treeOf(["a.10.z", "a.10.b", "a.2.z", "a.1.z"].map((name) => tensor(name, 1)));
    expect(node.children.map(({ label }) => label)).toEqual(["1.z", "2.z", "10"]);
    expect(node.children[2].children.map(({ label }) => label)).toEqual(["z", "b"]);
  });
  it("shows what is open", () => {
    expect(labels([])).toEqual(["model.layers", "scale"]);
    expect(labels(["model.layers", "model.layers.1"])).toEqual(["model.layers", "0", "1", "weight", "bias", "scale"]);
  });
  it("walks only what is open of thousands of tensors", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => tensor(`layers.${i >> 3}.part.${i % 8}`, 10, 10));
    const nodes = treeOf(many);
    expect(nodes[0].count).toBe(2_000_000);
    expect(rowsOf(nodes, new Set(["layers"]))).toHaveLength(2501);
  });
});

describe("keys", () => {
  const rows = rowsOf(tree, new Set(["model.layers"])); // model.layers, 0, 1, scale
  it.each([
    ["ArrowDown", 0, 1],
    ["ArrowUp", 0, 0],
    ["End", 0, 3],
    ["Home", 3, 0],
    ["ArrowRight", 0, 1],
    ["ArrowLeft", 2, 0],
  ])("%s leads from row %i to row %i", (key, at, to) => {
    expect(stepOf(rows, at, key)).toEqual({ to });
  });
  it("open and close branches", () => {
    expect(stepOf(rows, 1, "ArrowRight")?.toggle?.path).toBe("model.layers.0");
    expect(stepOf(rows, 0, "ArrowLeft")?.toggle?.path).toBe("model.layers");
  });
  it("that mean nothing do nothing", () => {
    expect(stepOf(rows, 3, "ArrowRight")).toBeNull();
    expect(stepOf(rows, 3, "x")).toBeNull();
  });
});
