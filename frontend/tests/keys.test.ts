import { expect, test, vi } from "vitest";
import { onKey, pressed } from "../src/views/shell/keys.ts";

function press(key: string, more: object = {}): { preventDefault: ReturnType<typeof vi.fn> } {
  const event = { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more };
  const whole = { defaultPrevented: false, target: null, preventDefault: vi.fn(), ...event };
  pressed(whole);
  return whole;
}
const inside = (...selectors: string[]): object => ({
  target: { closest: (selector: string) => selectors.some((each) => selector.includes(each)) || null },
});

test("the newest action has the key, unless it declines", () => {
  const [old, young] = [vi.fn(), vi.fn(() => false)];
  const stops = [onKey("Escape", old), onKey("Escape", young)];
  expect(press("Escape").preventDefault).toHaveBeenCalled();
  expect([young.mock.calls.length, old.mock.calls.length]).toEqual([1, 1]);
  stops.forEach((stop) => stop());
  expect(press("Escape").preventDefault).not.toHaveBeenCalled();
});

test("control, command and shift are part of a key's name; alt is left alone", () => {
  const [undo, redo] = [vi.fn(), vi.fn()];
  const stops = [onKey("Control+z", undo), onKey("Control+Shift+z", redo)];
  press("z", { ctrlKey: true });
  press("Z", { metaKey: true, shiftKey: true });
  press("z", { ctrlKey: true, altKey: true });
  press("z");
  expect([undo.mock.calls.length, redo.mock.calls.length]).toEqual([1, 1]);
  stops.forEach((stop) => stop());
});

test("whoever writes, presses a button or draws keeps the keys", () => {
  const [draw, play] = [vi.fn(), vi.fn()];
  const stops = [onKey("d", draw), onKey(" ", play)];
  press("d", inside("textarea"));
  press(" ", inside("button"));
  press(" ", inside("[role=application]"));
  expect([draw.mock.calls.length, play.mock.calls.length]).toEqual([0, 0]);
  press("d", inside("button"));
  press(" ");
  expect([draw.mock.calls.length, play.mock.calls.length]).toEqual([1, 1]);
  stops.forEach((stop) => stop());
});
