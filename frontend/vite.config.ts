/** One build, into the Python package: a single file that the server sends and that `glassnet export --to html` fills. */

import { readFileSync } from "node:fs";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { singleFile } from "./single_file.plugin.ts";

const version = /^version = "(.*)"/m.exec(readFileSync("../pyproject.toml", "utf8"))![1];

export default defineConfig({
  base: "./",
  plugins: [svelte({ configFile: false }), ...singleFile()],
  define: { __VERSION__: JSON.stringify(version) },
  worker: { format: "iife" }, // of a file: address, Chromium starts no module out of a blob
  build: {
    outDir: "../src/glassnet/web/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    license: { fileName: "licences.md" },
    assetsInlineLimit: 1e8,
  },
  test: { include: ["tests/**/*.test.ts"] },
});
