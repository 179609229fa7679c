import { expect, test } from "vitest";
import { NO_EDITS, redone, settled, undone, withEdit, type Edits } from "../src/state/edits.ts";
import { someNetwork } from "./networks.ts";

const networks = [1, 2, 3, 4].map((bias) => someNetwork().edit({ layer: 0, neuron: 0 }, { bias }));
const step = (edits: Edits, from: number, to: number, key: string | null): Edits =>
  withEdit(edits, { what: `${from} to ${to}`, key, before: networks[from], after: networks[to] });

test("a drag is one step", () => {
  const dragged = step(step(NO_EDITS, 0, 1, "bias"), 1, 2, "bias");
  expect(dragged.done).toHaveLength(1);
  expect(dragged.done[0]).toMatchObject({ before: networks[0], after: networks[2] });
});

test("a knob let go of and taken again makes another step", () => {
  expect(step(settled(step(NO_EDITS, 0, 1, "bias")), 1, 2, "bias").done).toHaveLength(2);
});

test("undone steps come back, until another is made", () => {
  const two = step(step(NO_EDITS, 0, 1, null), 1, 2, null);
  expect(redone(undone(two))).toEqual(two);
  const other = step(undone(two), 1, 3, null);
  expect(other.undone).toEqual([]);
  expect(undone(undone(undone(other))).done).toEqual([]);
  expect(redone(other)).toEqual(other);
});
