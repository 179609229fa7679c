/** The four toy shapes of TensorFlow Playground, as in `toys.py`: two inputs in about [-6, 6], two classes, small enough to
 * see everything. Shapes, radii and noise are those of https://github.com/tensorflow/playground (Daniel Smilkov and Shan
 * Carter, Apache 2.0), written anew here. */

import { Random, Stream } from "../kernel/random.ts";
import type { Dataset } from "./dataset.ts";

type Point = [x: number, y: number, blue: boolean];
/** Point `i` of `count`. `draw` gives a number from low to high, `bell` one of the standard normal distribution. */
type Shape = (
  i: number,
  count: number,
  noise: number,
  draw: (low: number, high: number) => number,
  bell: () => number,
) => Point;

const polar = (radius: number, angle: number): [number, number] => [radius * Math.sin(angle), radius * Math.cos(angle)];

const SHAPES = {
  /** A blue disc of radius 2.5 inside an orange ring of radius 3.5 to 5. Noise moves where the label is read. */
  circle(i, count, noise, draw) {
    const radius = i < count / 2 ? draw(0, 2.5) : draw(3.5, 5);
    const [x, y] = polar(radius, draw(0, 2 * Math.PI));
    return [x, y, Math.hypot(x + noise * draw(-5, 5), y + noise * draw(-5, 5)) < 2.5];
  },
  /** Four squares around a cross that is kept free: blue where both inputs have the same sign. */
  xor(_i, _count, noise, draw) {
    const [x, y] = [draw(-5, 5), draw(-5, 5)].map((at) => at + (at > 0 ? 0.3 : -0.3));
    return [x, y, (x + noise * draw(-5, 5)) * (y + noise * draw(-5, 5)) >= 0];
  },
  /** Two bell-shaped clouds around (2, 2) and (-2, -2); noise widens their variance from 0.5 to 4. */
  gauss(i, count, noise, _draw, bell) {
    const blue = i < count / 2;
    const [center, deviation] = [blue ? 2 : -2, Math.sqrt(0.5 + 7 * noise)];
    return [center + deviation * bell(), center + deviation * bell(), blue];
  },
  /** Two arms that wind 1.75 times around each other; noise moves each point by up to that much. */
  spiral(i, count, noise, draw) {
    const half = Math.floor(count / 2);
    const blue = i < half;
    const along = blue ? i / half : (i - half) / (count - half);
    const [x, y] = polar(5 * along, 1.75 * 2 * Math.PI * along + (blue ? 0 : Math.PI));
    return [x + noise * draw(-1, 1), y + noise * draw(-1, 1), blue];
  },
} satisfies Record<string, Shape>;

export type Toy = keyof typeof SHAPES;
export const TOYS = Object.keys(SHAPES) as Toy[];

/** So many points of a shape, mixed. `noise` from 0 to 0.5 is Playground's 0 to 50. */
export function toy(module: WebAssembly.Module, name: Toy, count: number, noise: number, seed: number): Dataset {
  const random = new Random(module, seed, Stream.Toy);
  const even = random.uniform(new Float64Array(4 * count));
  const bell = random.normal(new Float64Array(2 * count));
  let [drawn, belled] = [0, 0];
  const shape: Shape = SHAPES[name];
  const points = Array.from({ length: count }, (_, i) =>
    shape(
      i,
      count,
      noise,
      (low, high) => low + (high - low) * even[drawn++],
      () => bell[belled++],
    ),
  );
  const mixed = random.order(count).map((i) => points[i]);
  return {
    name,
    inputs: { values: Float32Array.from(mixed.flatMap(([x, y]) => [x, y])), scale: 1, count },
    targets: { labels: Int32Array.from(mixed, ([, , blue]) => Number(blue)) },
    width: 2,
    signature: { input_shape: [2], features: ["x1", "x2"], classes: ["orange", "blue"] },
  };
}
