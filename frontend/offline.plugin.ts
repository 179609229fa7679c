/** Makes the single file: everything inline, workers as blobs, and a content security policy that names what is inline by
 * its hash. Its data block is left as `null`, for `glassnet export --to html` and the page itself to fill. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin, PluginOption } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

export function offline(): PluginOption[] {
  return [inlineWorkers(), viteSingleFile({ removeViteModuleLoader: true }), policy()];
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

function policy(): Plugin {
  let folder = "";
  return {
    name: "policy",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const file = resolve(folder, "offline.html");
      const html = readFileSync(file, "utf8");
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
      const meta = `<meta http-equiv="Content-Security-Policy" content="${rules}" />`;
      const licences = readFileSync(resolve(folder, "licences.md"), "utf8"); // of the build for the server, made before
      const whole = html
        .replace("<head>", () => `<head>\n    ${meta}`)
        .replace(/(?=<\/body>)/, () => `  <!--\n${licences}-->\n  `);
      writeFileSync(file, whole);
    },
  };
}
