import type { View } from "../view.ts";
import NetworkPanel from "./NetworkPanel.svelte";

export const view: View = { id: "look", label: "Look", panel: NetworkPanel };
