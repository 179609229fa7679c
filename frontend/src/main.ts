/** Loads the kernel, a network and a digit, and shows the page. */

import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { exampleOf, type Input } from "./data/dataset.ts";
import { host } from "./host.ts";
import { loadKernel } from "./kernel/load.ts";
import { asRead } from "./data/features.ts";
import { Workspace } from "./state/workspace.svelte.ts";

const page = document.getElementById("page")!;

async function open(): Promise<void> {
  const [kernel, start] = await Promise.all([loadKernel(), host.start()]);
  const first = start.networks[0];
  if (!first) throw new Error("There is no network to show.");
  const network = await first.load();
  const zeros: Input = { values: new Float32Array(network.architecture.sizes[0]), from: "all zero" };
  const workspace = new Workspace(kernel, network, first.name, zeros);
  workspace.networks = start.networks;
  mount(App, { target: page, props: { workspace, start } });
  const data = network.picture ? await host.digits("test") : start.table && asRead(start.table, network.signature);
  if (!data) return;
  workspace.data = data;
  workspace.input = exampleOf(data, 0);
}

open().catch((problem: Error) => {
  page.textContent = problem.message;
});
