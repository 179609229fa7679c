import { beforeEach, describe, expect, it } from "vitest";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { NO_EDITS, redone, settled, standing, undone, withEdit, type Edits } from "../src/state/edits.ts";
import { chooseSquish, paintWeights, turnBias, turnWeight, type Turned } from "../src/state/parameter_edits.ts";

const address = { layer: 0, neuron: 1 };
const original = new Network(new Architecture([3, 2], ["relu"]), Float32Array.of(1, 2, 3, 4, 5, 6, 0.5, -0.5));

/** What a workspace does with changes. */
class Bench implements Turned {
  network = original;
  edits: Edits = NO_EDITS;
  change(network: Network, what: string, key: string | null): void {
    this.edits = withEdit(this.edits, { what, key, before: this.network, after: network });
    this.network = network;
  }
  get lines(): string[] {
    return this.edits.done.map(({ what }) => what);
  }
}
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("a turn of a knob", () => {
  it("is a line from where it was to where it is, however many steps it took", () => {
    for (const bias of [0, 0.7, 1.2]) turnBias(bench, address, bias);
    expect(bench.lines).toEqual(["bias of 0:1: \u22120.500 → 1.20"]);
    expect(bench.network.bias(address)).toBe(Math.fround(1.2));
    expect(bench.edits.done[0].before).toBe(original);
  });

  it("is a new line once the knob was let go of", () => {
    turnBias(bench, address, 1);
    bench.edits = settled(bench.edits);
    turnBias(bench, address, 2);
    expect(bench.lines).toEqual(["bias of 0:1: \u22120.500 → 1.00", "bias of 0:1: 1.00 → 2.00"]);
  });

  it("tells knobs apart", () => {
    turnWeight(bench, address, 0, -1);
    turnWeight(bench, address, 2, 1 / 3);
    turnBias(bench, address, 0);
    expect(bench.lines).toEqual([
      "weight of 0:1 for input 0: 4.00 → \u22121.00",
      "weight of 0:1 for input 2: 6.00 → 0.333",
      "bias of 0:1: \u22120.500 → 0",
    ]);
    expect([...bench.network.parameters]).toEqual([1, 2, 3, -1, 5, Math.fround(1 / 3), 0.5, 0]);
  });

  it("that changes nothing is none", () => {
    turnBias(bench, address, -0.5);
    turnWeight(bench, address, 0, 4);
    paintWeights(bench, address, [0], 4);
    chooseSquish(bench, 0, "relu");
    expect(bench.edits).toBe(NO_EDITS);
    expect(bench.network).toBe(original);
  });

  it("of the brush counts the weights of a whole stroke once", () => {
    paintWeights(bench, address, [0, 1], 2);
    paintWeights(bench, address, [1, 2], 2);
    expect(bench.lines).toEqual(["3 weights of 0:1 painted with 2.00"]);
    bench.edits = settled(bench.edits);
    paintWeights(bench, address, [1], 0);
    expect(bench.lines[1]).toBe("1 weight of 0:1 erased");
  });

  it("of a layer's menu changes its squish", () => {
    chooseSquish(bench, 0, "tanh");
    expect(bench.network.activation(0)).toBe("tanh");
    expect(bench.lines).toEqual(["squish of layer 0: relu → tanh"]);
  });
});

describe("the steps", () => {
  it("go back to the very network that was there, and forth again", () => {
    turnBias(bench, address, 1);
    const [step] = bench.edits.done;
    const back = undone(bench.edits);
    expect(back).toEqual({ done: [], undone: [step] });
    expect(redone(back)).toEqual({ done: [step], undone: [] });
  });

  it("count from when all was as it came", () => {
    turnBias(bench, address, 1);
    bench.change(original, "everything as it was", null);
    expect(standing(bench.edits, original)).toEqual([]);
    turnBias(bench, address, 2);
    expect(standing(bench.edits, original).map(({ what }) => what)).toEqual(["bias of 0:1: \u22120.500 → 2.00"]);
  });
});
