/** A picture file as the input of a network. For MNIST's digits it is made as those were; for others only scaled. */

import { digitOf, resize, SIDE, type Picture } from "./fitting.ts";

const MOST_PIXELS = 80_000_000;
/** Larger pictures are scaled down to this before ink is looked for. */
const WORKING_SIDE = 1024;

/** Grey values of width x height, 0 to 255. Throws an `Error` that can be shown. */
export async function pictureOf(
  module: WebAssembly.Module,
  file: Blob,
  width: number,
  height: number,
  digits: boolean,
): Promise<Uint8Array> {
  const image = await createImageBitmap(file).catch(() => {
    throw new Error("That file cannot be read as a picture. Save it as PNG or JPEG.");
  });
  if (image.width * image.height > MOST_PIXELS)
    throw new Error(`A picture of ${image.width} x ${image.height} pixels is too large: scale it down first.`);
  if (!digits || width !== SIDE) return resize(module, greyOf(image, 1), width, height).grey;
  const scale = Math.min(1, WORKING_SIDE / Math.max(image.width, image.height));
  return digitOf(module, greyOf(image, scale));
}

/** What is transparent is seen on white. */
function greyOf(image: ImageBitmap, scale: number): Picture {
  const [width, height] = [image.width, image.height].map((length) => Math.max(1, Math.round(scale * length)));
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  // Luma as ITU-R 601 has it, in Pillow's whole numbers.
  const grey = Uint8Array.from(
    { length: width * height },
    (_, i) => (19595 * data[4 * i] + 38470 * data[4 * i + 1] + 7471 * data[4 * i + 2] + 0x8000) >> 16,
  );
  return { width, height, grey };
}
