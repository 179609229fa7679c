import type { View } from "../view.ts";
import ComparePanel from "./ComparePanel.svelte";

export const view: View = { id: "compare", label: "Compare", panel: ComparePanel };
