/** All arithmetic of a network is done by the C core: outside src/core nobody multiplies weights, sums products or applies
 * an activation. A search by patterns: it finds what would be written in haste, not what would be hidden. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const NUMBERS = "(?:weights?|inputs?|products?|gradients?|slopes?|parameters|biases|activations|row)";
const PATTERNS = [
  new RegExp(`\\b${NUMBERS}(?:\\[[^\\]]*\\])? \\* `),
  new RegExp(`(?<!\\d) \\* (?:\\w+\\.)*${NUMBERS}\\b`),
  /\+= [^;]*[a-z\])] \* [a-z(]/i,
  /Math\.(?:exp|expm1|log|log1p|tanh|sinh|cosh)\(/,
];

/** Lines that look like it and are not, or are one product that is shown; with the reason. */
const ALLOWED: Record<string, string> = {
  "network/trace.ts": "each product as it is shown; their sum comes from the core",
  "draw/connections.ts": "a connection is as strong as its product; places in arrays",
  "training/target_scaling.ts": "the change of units of the last layer, which data in other units needs once",
  "network/attribution.ts": "each contribution as it is shown, slope times input; the slopes come from the core",
  "views/card/SoftmaxShares.svelte": "exp(z) as it is shown, so that a share can be checked",
  "training/gradients.ts": "the mean of the losses of blocks, each computed by the core",
  "network/evaluation.ts": "statistics of outputs over a data set; places in arrays",
  "network/sparse_rows.ts": "places in arrays; the share of zeros",
  "network/interpolation.ts": "the mixture of two parameter vectors, number by number",
  "network/safetensors.ts": "the bytes of a shape",
  "data/features.ts": "values as the table has them",
  "data/held_out.ts": "places in arrays",
  "data/table.ts": "values as the table has them",
  "draw/columns.ts": "widths on the screen",
  "draw/pen.ts": "places in arrays",
  "views/share/single_file.ts": "values as the table has them",
};

const SOURCE = new URL("../src/", import.meta.url);
const found = new Map<string, string[]>();
for (const name of readdirSync(SOURCE, { recursive: true, encoding: "utf8" })) {
  if (!/\.(ts|svelte)$/.test(name) || name.startsWith("core/")) continue;
  const lines = readFileSync(new URL(name, SOURCE), "utf8").split("\n");
  const hits = lines.filter((line) => !/^\s*(\*|\/[/*])/.test(line) && PATTERNS.some((pattern) => pattern.test(line)));
  if (hits.length > 0) found.set(name, hits);
}

test("nothing outside the core computes with a network's numbers", () => {
  const others = [...found].filter(([name]) => !(name in ALLOWED));
  expect(others).toEqual([]);
});

test("no exception is left over", () => {
  expect(Object.keys(ALLOWED).filter((name) => !found.has(name))).toEqual([]);
});
