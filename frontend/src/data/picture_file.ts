/** A picture file as the input of a network. For MNIST's digits it is made as those were; for others only scaled. */

import { fitted, resize, SIDE, type Grid } from "./fitting.ts";
import { inkOf } from "./ink.ts";

const MOST_PIXELS = 80_000_000;
/** Larger pictures are scaled down to this before ink is looked for. */
const WORKING_SIDE = 1024;

/** Grey values of width x height, 0 to 255. Throws an `Error` that can be shown. */
export async function pictureOf(file: Blob, width: number, height: number, digits: boolean): Promise<Uint8Array> {
  const image = await createImageBitmap(file).catch(() => {
    throw new Error("That file cannot be read as a picture. Save it as PNG or JPEG.");
  });
  if (image.width * image.height > MOST_PIXELS)
    throw new Error(`A picture of ${image.width} x ${image.height} pixels is too large: scale it down first.`);
  if (!digits) return Uint8Array.from(resize(greyOf(image, 1), width, height).values, Math.round);
  const scale = Math.min(1, WORKING_SIDE / Math.max(image.width, image.height));
  const digit = fitted(inkOf(greyOf(image, scale)));
  if (!digit || width !== SIDE) throw new Error("There is no digit to be seen in that picture.");
  return digit.grey;
}

/** What is transparent is seen on white. */
function greyOf(image: ImageBitmap, scale: number): Grid {
  const [width, height] = [image.width, image.height].map((length) => Math.max(1, Math.round(scale * length)));
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  // Luma as ITU-R 601 has it.
  const values = Float32Array.from({ length: width * height }, (_, i) =>
    Math.round(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]),
  );
  return { width, height, values };
}
