/** The parameters in which two networks of one structure differ, as bytes: how many (four bytes), how far each place lies
 * from the one before (four bytes each), the new values (floats). Little-endian. */

import type { Network } from "./network.ts";

export function difference(from: Network, to: Network): Uint8Array<ArrayBuffer> {
  // Bits are compared, so that a NaN is no change for ever and -0 is told from 0.
  const [before, after] = [from, to].map(
    ({ parameters: { buffer, byteOffset, length } }) => new Uint32Array(buffer, byteOffset, length),
  );
  const places = [...after.keys()].filter((i) => before[i] !== after[i]);
  const view = new DataView(new ArrayBuffer(4 + 8 * places.length));
  view.setUint32(0, places.length, true);
  places.forEach((place, i) => {
    view.setUint32(4 + 4 * i, place - (places[i - 1] ?? 0), true);
    view.setFloat32(4 + 4 * (places.length + i), to.parameters[place], true);
  });
  return new Uint8Array(view.buffer);
}

/** The parameters with a difference put in. Throws an `Error` for one that does not fit. */
export function withDifference(network: Network, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length < 4 ? -1 : view.getUint32(0, true);
  if (bytes.length !== 4 + 8 * count) throw new Error("its changes are damaged");
  const parameters = network.parameters.slice();
  for (let i = 0, place = 0; i < count; i++) {
    place += view.getUint32(4 + 4 * i, true);
    if (place >= parameters.length) throw new Error("its changes belong to another network");
    parameters[place] = view.getFloat32(4 + 4 * (count + i), true);
  }
  return parameters;
}
