import { expect, test } from "vitest";
import { digitOf, fitted, resize, SIDE, type Picture } from "../src/data/fitting.ts";
import { kernel } from "./kernel.ts";

const picture = (width: number, height: number, of: (x: number, y: number) => number): Picture => ({
  width,
  height,
  grey: Uint8Array.from({ length: width * height }, (_, i) => of(i % width, Math.floor(i / width))),
});
const bar = (x: number, y: number): number => 255 * Number(x >= 2 && x < 6 && y >= 1 && y < 11);

function extent(grey: Uint8Array): { rows: number[]; mass: [number, number] } {
  const rows = [...Array(SIDE).keys()].filter((y) =>
    grey.subarray(y * SIDE, (y + 1) * SIDE).some((value) => value > 0),
  );
  let [all, x, y] = [0, 0, 0];
  grey.forEach((value, i) => {
    all += value;
    x += value * (i % SIDE);
    y += value * Math.floor(i / SIDE);
  });
  return { rows, mass: [x / all, y / all] };
}

test("the longer side becomes 20 pixels, the centre of mass goes to (14, 14)", () => {
  const { grey, scale } = fitted(kernel, picture(28, 28, bar))!;
  const { rows, mass } = extent(grey);
  expect(scale).toBe(2);
  expect(rows.length).toBe(20);
  mass.forEach((middle) => expect(Math.abs(middle - 14)).toBeLessThanOrEqual(0.5));
  expect(Math.max(...grey)).toBe(255);
});

test("what is fitted already stays as it is", () => {
  const once = fitted(kernel, picture(28, 28, bar))!.grey;
  const twice = fitted(kernel, { width: 28, height: 28, grey: once })!;
  expect(twice.grey).toEqual(once);
  expect([twice.scale, twice.left, twice.top]).toEqual([1, 0, 0]);
});

test("it tells where each point went", () => {
  const { grey, scale, left, top } = fitted(kernel, picture(28, 28, bar))!;
  const corner = [2 * scale + left, 1 * scale + top];
  expect(grey[corner[1] * SIDE + corner[0]]).toBe(255);
  expect(grey[corner[1] * SIDE + corner[0] - 1]).toBe(0);
  expect(grey[(corner[1] - 1) * SIDE + corner[0]]).toBe(0);
});

test("no ink, nothing to fit", () =>
  expect(
    fitted(
      kernel,
      picture(28, 28, () => 0),
    ),
  ).toBeNull());

test("resized, a picture keeps its mean and its gradient", () => {
  const small = resize(
    kernel,
    picture(40, 20, (x) => 4 * x),
    10,
    5,
  );
  expect([small.width, small.height]).toEqual([10, 5]);
  const mean = small.grey.reduce((a, b) => a + b, 0) / 50;
  expect(mean).toBeCloseTo(78, 0);
  expect(small.grey[7] - small.grey[6]).toBe(16);
});

test.each([
  ["dark on light", (on: number) => 230 - 200 * on],
  ["light on dark", (on: number) => 20 + 210 * on],
])("ink is told from paper, %s, where light falls off", (_, grey) => {
  const upright = (x: number, y: number): number => Number(x > 20 && x < 40 && y > 20 && y < 60);
  const digit = digitOf(
    kernel,
    picture(60, 80, (x, y) => grey(upright(x, y)) - 0.3 * y + 10),
  );
  expect(digit[14 * SIDE + 14]).toBe(255);
  expect(digit.filter((value) => value > 0).length).toBe(20 * 10);
});

test("a blank picture is refused in words", () => {
  expect(() =>
    digitOf(
      kernel,
      picture(30, 30, () => 200),
    ),
  ).toThrow(/blank/);
});
