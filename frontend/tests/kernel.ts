/** The kernel's module, for tests in Node. */

import { readFileSync } from "node:fs";

export const kernel = new WebAssembly.Module(readFileSync(new URL("../src/core/kernel.wasm", import.meta.url)));
