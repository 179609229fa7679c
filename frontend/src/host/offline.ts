/** The single file: what it shows stands inside it, as JSON in the element `payload`. */

import { fromBase64, gunzip } from "../data/bytes.ts";
import { columnsOf } from "../data/csv.ts";
import { digitsOf, type Dataset } from "../data/dataset.ts";
import { tableWith } from "../data/table.ts";
import type { Host, Start } from "./types.ts";
import { openNetworkFile } from "./network_file.ts";
import { readNetwork } from "../network/safetensors.ts";

export interface Payload {
  version: 1;
  networks: { name: string; safetensors: string }[];
  digits: { rows: number; gzip: string } | null;
  table: {
    features: string[];
    inputs: number[][];
    targets: number[];
    classes: string[] | null;
    target: string | null;
  } | null;
  state: string | null;
}

const PAYLOAD = '<script type="application/json" id="payload">';

/** The single file with this in its data block, instead of what was there. */
export function filled(template: string, payload: Payload | null): string {
  const block = template.lastIndexOf(PAYLOAD); // the script above it names it too
  if (block < 0) throw new Error("This page has no place for data: it was not built as a single file.");
  const [from, to] = [block + PAYLOAD.length, template.indexOf("</script>", block)];
  return template.slice(0, from) + JSON.stringify(payload).replaceAll("<", "\\u003c") + template.slice(to);
}

export function offlineHost(): Host {
  // Taken before the page draws itself, so that it can be written out again with another payload.
  const whole = `<!doctype html>\n${document.documentElement.outerHTML}`;
  const payload = JSON.parse(document.getElementById("payload")?.textContent ?? "null") as Payload | null;
  let test: Promise<Dataset | null> | undefined;
  return {
    offline: true,
    async start(): Promise<Start> {
      return {
        version: __VERSION__,
        networks: (payload?.networks ?? []).map(({ name, safetensors }) => ({
          name,
          from: "opened",
          load: () => readNetwork(new Blob([fromBase64(safetensors)])),
        })),
        files: [],
        state: payload?.state ?? null,
        table: payload?.table ? tableOf(payload.table) : null,
      };
    },
    async digits(part) {
      if (part === "train" || !payload?.digits) return null;
      test ??= gunzip(fromBase64(payload.digits.gzip)).then((bytes) => digitsOf(bytes, "test digits"));
      return test;
    },
    open: openNetworkFile,
    table: async (file) => tableWith(file.name, columnsOf(await file.text(), file.name)),
    template: async () => filled(whole, null),
  };
}

declare const __VERSION__: string;

function tableOf(table: NonNullable<Payload["table"]>): Dataset {
  const width = table.features.length;
  return {
    name: "sample",
    inputs: { values: Float32Array.from(table.inputs.flat()), scale: 1, count: table.inputs.length },
    targets: table.classes ? { labels: Int32Array.from(table.targets) } : { rows: Float32Array.from(table.targets) },
    width,
    schema: {
      input_shape: [width],
      features: table.features,
      ...(table.classes && { classes: table.classes }),
      ...(table.target && { target: table.target }),
    },
  };
}
