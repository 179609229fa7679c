/** Two builds of one page, into the Python package: `vite build` for the server, then `--mode offline` for the single file. */

import { readFileSync } from "node:fs";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { offline } from "./offline.plugin.ts";

const PACKAGE = "../src/glassnet/web/page";
const version = /^version = "(.*)"/m.exec(readFileSync("../pyproject.toml", "utf8"))![1];

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [svelte({ configFile: false }), ...(mode === "offline" ? offline() : [])],
  define: { __OFFLINE__: JSON.stringify(mode === "offline"), __VERSION__: JSON.stringify(version) },
  worker: {
    format: mode === "offline" ? "iife" : "es", // of a file: address, Chromium starts no module out of a blob
    rollupOptions: { output: { entryFileNames: "assets/[name].js", assetFileNames: "assets/[name][extname]" } },
  },
  build: {
    outDir: PACKAGE,
    emptyOutDir: mode !== "offline",
    target: "es2022",
    modulePreload: { polyfill: false },
    license: mode === "offline" ? false : { fileName: "licences.md" },
    assetsInlineLimit: mode === "offline" ? 1e8 : 0,
    rollupOptions: {
      input: mode === "offline" ? "offline.html" : "index.html",
      // Names without hashes: a new build is a change of the same files. The server lets nothing grow old in a cache.
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  test: { include: ["tests/**/*.test.ts"] },
}));
