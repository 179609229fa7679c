/** The one host of this build. */

import { offlineHost } from "./offline.ts";
import { servedHost } from "./served.ts";
import type { Host } from "./types.ts";

/** A page with nothing in its data block came from the server; one with data is a file of its own, wherever it lies. */
const payload = globalThis.document?.getElementById("payload")?.textContent.trim();

export const host: Host = payload && payload !== "null" ? offlineHost() : servedHost();
