/** A way to look at the network: one folder of views/, with a file `index.ts` that gives this, and one line in `index.ts`. */

import type { Component } from "svelte";
import type { Start } from "../host/types.ts";
import type { Training } from "../state/training.svelte.ts";
import type { Workspace } from "../state/workspace.svelte.ts";

export interface View {
  /** As it stands in links. */
  readonly id: string;
  /** The button's text. */
  readonly label: string;
  /** What fills the middle of the page. */
  readonly panel: Component<{ workspace: Workspace; start: Start; training: Training }>;
}
