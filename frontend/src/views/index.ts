/** All views, in the order of their buttons; the first is what one comes back to. */

import { view as compare } from "./compare/index.ts";
import { view as count } from "./count/index.ts";
import { view as look } from "./network/index.ts";
import type { View } from "./view.ts";

export const VIEWS: readonly View[] = [look, compare, count];
