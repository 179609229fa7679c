/** Grey values, 0 = paper, 255 = ink, and the inputs that a network of pictures makes of them: whole numbers times `scale`,
 * from 0 to 1. */

export const greyOf = (values: Float32Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));

/** `scale` as in the schema: 1/255 for bytes, 1/16 for pictures of 17 shades. */
export function valuesOf(grey: Uint8Array, scale = 1 / 255): Float32Array {
  const shades = Math.max(1, Math.round(1 / scale));
  return Float32Array.from(grey, (value) => Math.round((value * shades) / 255) * Math.fround(scale));
}
