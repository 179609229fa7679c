/** The page as one file that works from the disk with the network off: the template, with networks, examples and the state
 * of the page in its data block. */

import { gzip, toBase64 } from "../../data/bytes.ts";
import { rawOf } from "../../data/features.ts";
import { filled, type Payload } from "../../host/offline.ts";
import { host } from "../../host/host.ts";
import { featureName } from "../../network/labels.ts";
import type { Network } from "../../network/network.ts";
import { writeNetwork } from "../../network/safetensors.ts";
import type { Lesson } from "../../state/lesson.svelte.ts";
import { linkOf } from "../../state/link.ts";
import type { Workspace } from "../../state/workspace.svelte.ts";

/** Examples that go along. */
const MOST_ROWS = 1000;

export async function singleFile(workspace: Workspace, lesson: Lesson): Promise<Blob> {
  const { name, original, comparison, view } = workspace;
  const networks = new Map<string, Network>([[name, original]]);
  for (const side of view === "compare" ? [comparison.left, comparison.right] : [])
    if (typeof side !== "string") networks.set(side.name, await side.load());
  const payload: Payload = {
    version: 1,
    networks: [...networks].map(([name, network]) => ({ name, safetensors: toBase64(writeNetwork(network)) })),
    digits: original.picture ? await someDigits() : null,
    table: original.picture ? null : someRows(workspace),
    state: await linkOf(workspace, lesson, { comesAlong: (name) => networks.has(name), complete: true }),
  };
  return new Blob([filled(await host.template(), payload)], { type: "text/html" });
}

async function someDigits(): Promise<Payload["digits"]> {
  const data = await host.digits("test");
  if (!data || !("labels" in data.targets)) return null;
  const rows = Math.min(MOST_ROWS, data.inputs.count);
  const bytes = new Uint8Array(785 * rows);
  bytes.set(data.inputs.values.subarray(0, 784 * rows));
  bytes.set(data.targets.labels.subarray(0, rows), 784 * rows);
  return { rows, gzip: toBase64(await gzip(bytes)) };
}

/** Rows with the values that the table has, evenly from all over it, which may be sorted. */
function someRows({ data, original }: Workspace): Payload["table"] {
  if (data?.width !== original.architecture.sizes[0]) return null;
  const { inputs, targets, width, schema } = data;
  const count = Math.min(MOST_ROWS, inputs.count);
  const rows = Array.from({ length: count }, (_, i) => Math.round((i * (inputs.count - 1)) / Math.max(1, count - 1)));
  const columns = Array.from({ length: width }, (_, j) => j);
  const value = (row: number, j: number): number =>
    Number(rawOf(schema, j, inputs.values[row * width + j] * inputs.scale).toPrecision(7));
  const answers = "labels" in targets ? targets.labels : targets.rows;
  return {
    features: columns.map((j) => featureName(schema, j)),
    inputs: rows.map((row) => columns.map((j) => value(row, j))),
    targets: rows.map((row) => answers[row]),
    classes: "labels" in targets ? (schema.classes ?? null) : null,
    target: schema.target ?? null,
  };
}
