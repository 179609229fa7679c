import { expect, test } from "vitest";
import { stroke, type Picture } from "../src/draw/pen.ts";

const blank = (width = 28, height = 28): Picture => ({ width, height, grey: new Uint8Array(width * height) });
const at = ({ grey, width }: Picture, x: number, y: number): number => grey[y * width + x];

test("a stroke is ink along its path, softer at its edge, nothing beyond", () => {
  const picture = blank();
  stroke(picture, { x: 5.5, y: 14.5 }, { x: 22.5, y: 14.5 }, "pen");
  expect([5, 14, 22].map((x) => at(picture, x, 14))).toEqual([255, 255, 255]);
  expect(at(picture, 14, 13)).toBeGreaterThan(50);
  expect(at(picture, 14, 13)).toBeLessThan(255);
  expect(at(picture, 14, 12)).toBe(0);
  expect(at(picture, 2, 14)).toBe(0);
});

test("strokes over each other never fade", () => {
  const picture = blank();
  stroke(picture, { x: 10, y: 10 }, { x: 18, y: 18 }, "pen");
  const before = picture.grey.slice();
  stroke(picture, { x: 18, y: 10 }, { x: 10, y: 18 }, "pen");
  expect(picture.grey.every((value, i) => value >= before[i])).toBe(true);
});

test("the rubber takes ink away", () => {
  const picture = blank();
  picture.grey.fill(255);
  stroke(picture, { x: 14.5, y: 14.5 }, { x: 14.5, y: 14.5 }, "rubber");
  expect(at(picture, 14, 14)).toBe(0);
  expect(at(picture, 20, 14)).toBe(255);
});

test("the pen is as thick on a picture of another size, and may leave it", () => {
  const small = blank(8, 8);
  stroke(small, { x: -3, y: 4 }, { x: 11, y: 4 }, "pen");
  expect(at(small, 0, 3)).toBeGreaterThan(100);
  expect(at(small, 4, 1)).toBe(0);
});
