/** Makes the page one file: everything inline, workers as blobs, a content security policy that names what is inline by its
 * hash, licences in a comment. It is written compressed; its data block is left as `null`, for `glassnet export --to html`
 * and the page itself to fill. */

import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, PluginOption } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

export function singleFile(): PluginOption[] {
  return [inlineWorkers(), viteSingleFile({ removeViteModuleLoader: true }), packed()];
}

function inlineWorkers(): Plugin {
  return {
    name: "inline-workers",
    enforce: "pre",
    resolveId(source, importer) {
      return source.endsWith("?worker") ? this.resolve(`${source}&inline`, importer, { skipSelf: true }) : null;
    },
  };
}

function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const [file, licences] = ["index.html", "licences.md"].map((name) => resolve(folder, name));
      const whole = withPolicy(readFileSync(file, "utf8")).replace(
        /(?=<\/body>)/,
        () => `  <!--\n${readFileSync(licences, "utf8")}-->\n  `,
      );
      writeFileSync(resolve(folder, "page.html.gz"), gzipSync(whole, { level: 9 }));
      rmSync(file);
      rmSync(licences);
    },
  };
}

function withPolicy(html: string): string {
  const hashes = (tag: string, skip: RegExp): string =>
    [...html.matchAll(new RegExp(`<${tag}([^>]*)>([\\s\\S]*?)</${tag}>`, "g"))]
      .filter(([, attributes]) => !skip.test(attributes))
      .map(([, , text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`)
      .join(" ");
  const rules = [
    "default-src 'none'",
    `script-src ${hashes("script", /application\/json/)} 'wasm-unsafe-eval'`,
    `style-src ${hashes("style", /^$(?!)/)}`,
    "img-src blob: data:",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return html.replace("<head>", () => `<head>\n    <meta http-equiv="Content-Security-Policy" content="${rules}" />`);
}
