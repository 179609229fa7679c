import type { View } from "../view.ts";
import CountPanel from "./CountPanel.svelte";

export const view: View = { id: "count", label: "Count", panel: CountPanel };
