import { expect, test } from "vitest";
import { exact, short, signed } from "../src/draw/numbers.ts";

test.each([
  [0, "0"],
  [0.98142, "0.981"],
  [-1.3149, "−1.31"],
  [12.345, "12.3"],
  [123456, "123,456"],
  [0.00012345, "1.23e−4"],
  [1e6, "1.00e+6"],
  [0.9996, "1.00"],
  [NaN, "not a number"],
  [-Infinity, "−∞"],
])("%d in three digits is %s", (value, text) => expect(short(value)).toBe(text));

test("a sign is always written where it matters", () =>
  expect([signed(1), signed(-1), signed(0)]).toEqual(["+1.00", "−1.00", "0"]));

test("the exact number is this float and no other", () => {
  for (let i = 0; i < 1000; i++) {
    const float = Math.fround(Math.sin(i) * 10 ** ((i % 60) - 30));
    expect(Math.fround(Number(exact(float).replaceAll("−", "-")))).toBe(float);
  }
  expect(exact(Math.fround(0.1))).toBe("0.1");
});
