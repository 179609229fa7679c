/** Loads the kernel, a network and a digit, and shows the page, in the state that a link or a single file asks for. */

import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { exampleOf, type Input } from "./data/dataset.ts";
import { host } from "./host/host.ts";
import { loadKernel } from "./core/load.ts";
import { lesson } from "./state/lesson.svelte.ts";
import { lessonOf, restore } from "./state/link.ts";
import { examplesFor } from "./state/choose_network.ts";
import { Workspace } from "./state/workspace.svelte.ts";
import { VIEWS } from "./views/index.ts";

const page = document.getElementById("page")!;

async function open(): Promise<void> {
  const [kernel, start] = await Promise.all([loadKernel(), host.start()]);
  const first = start.networks[0];
  if (!first) throw new Error("There is no network to show.");
  const network = await first.load();
  const zeros: Input = { values: new Float32Array(network.architecture.sizes[0]), from: "all zero" };
  const workspace = new Workspace(kernel, network, first.name, zeros);
  workspace.networks = start.networks;
  workspace.views = VIEWS.map(({ id }) => id);
  const link = location.hash.slice(1) || start.state;
  if (link) lesson.begin(lessonOf(link)); // before anything is shown that it hides
  mount(App, { target: page, props: { workspace, start } });
  workspace.data = await examplesFor(network, start);
  if (workspace.data && workspace.input === zeros) workspace.input = exampleOf(workspace.data, 0);
  if (link) await tell(workspace, restore(workspace, start, link));
  addEventListener("hashchange", () => {
    const link = location.hash.slice(1);
    lesson.begin(lessonOf(link));
    void tell(workspace, restore(workspace, start, link));
  });
}

async function tell(workspace: Workspace, restoring: Promise<string[]>): Promise<void> {
  const problems = await restoring;
  if (problems.length > 0) workspace.notice = problems.join(" ");
}

open().catch((problem: Error) => {
  page.textContent = problem.message;
});
