/** The kernel's WebAssembly, compiled once; workers are handed the module. In the single file it stands inline. */

import url from "./kernel.wasm?url";
import { fromBase64 } from "../data/bytes.ts";

export function loadKernel(): Promise<WebAssembly.Module> {
  if (url.startsWith("data:")) return WebAssembly.compile(fromBase64(url.slice(url.indexOf(",") + 1)));
  return WebAssembly.compileStreaming(fetch(url));
}
