/** Cases with their right answers that Python wrote (tests/vectors/shared_vectors.py). */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export const vectors = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), "utf8")) as T[];

/** SHA-256 of numbers as they lie in memory. */
export const digest = (values: ArrayBufferView): string =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
