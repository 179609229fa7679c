/** Which folder of src/ may import from which. Imports of types count, and those in Svelte files. */

import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";

/** From the lowest to the highest. core, network and data are one layer: the bridge takes an architecture and inputs. */
const LAYERS = [["generated"], ["core", "network", "data"], ["host", "draw", "training"], ["state"], ["views"]];

const SOURCE = new URL("../src/", import.meta.url);
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|svelte)$/.test(name));
const imports = new Map(
  files.map((name) => [
    name,
    [...readFileSync(new URL(name, SOURCE), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"?]+)[^"]*"/g)]
      .map(([, path]) => posix.normalize(posix.join(posix.dirname(name), path)))
      .filter((path) => files.includes(path)),
  ]),
);

const folder = (name: string): string => name.split("/")[0];
const layer = (name: string): number => LAYERS.findIndex((folders) => folders.includes(folder(name)));

/** The files of a circle, if one can be walked from this file back to one on the way. */
function circleFrom(name: string, way: string[], done: Set<string>): string[] | null {
  if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
  if (done.has(name)) return null;
  for (const next of imports.get(name)!) {
    const circle = circleFrom(next, [...way, name], done);
    if (circle) return circle;
  }
  done.add(name);
  return null;
}

test("every folder is in a layer", () => {
  const folders = new Set(files.filter((name) => name.includes("/")).map(folder));
  expect([...folders].sort()).toEqual(LAYERS.flat().sort());
});

test("a file imports from its own layer and from those below", () => {
  const upward = files
    .filter((name) => name.includes("/"))
    .flatMap((name) =>
      imports
        .get(name)!
        .filter((other) => layer(other) < 0 || layer(other) > layer(name))
        .map((other) => `${name} -> ${other}`),
    );
  expect(upward).toEqual([]);
});

test("there are no circles", () => {
  const done = new Set<string>();
  const circles = files.map((name) => circleFrom(name, [], done)).filter((circle) => circle !== null);
  expect(circles).toEqual([]);
});
