/** Ways to another network: from the list, from a file, from a link; with examples that fit it. */

import { exampleOf, type Dataset } from "../data/dataset.ts";
import { asRead, fits } from "../data/features.ts";
import { host } from "../host/host.ts";
import type { NamedNetwork, Start } from "../host/types.ts";
import { inputsDiffer } from "../network/interpolation.ts";
import type { Network } from "../network/network.ts";
import { shelf } from "./opened_file.svelte.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** The test digits, or the table that came with the page; null where neither fits. */
export async function examplesFor(network: Network, start: Start): Promise<Dataset | null> {
  const data = network.picture ? await host.digits("test") : start.table && asRead(start.table, network.schema);
  return data?.width === network.architecture.sizes[0] ? data : null;
}

/** With the examples it was made with, else those at hand if they fit. An input that means the same to both networks stays;
 * what was edited stays among the networks to choose from. */
export async function lookAt(
  workspace: Workspace,
  start: Start,
  network: Network,
  name: string,
  made?: Dataset | null,
): Promise<void> {
  const has = workspace.data;
  const data = made ?? (has && fits(has, network) ? has : await examplesFor(network, start));
  const stays = !inputsDiffer(workspace.network, network) && (data === has || workspace.input.index === undefined);
  workspace.keepEdited();
  workspace.show(network, name, data && !stays ? exampleOf(data, 0) : undefined);
  workspace.data = data;
}

export async function choose(workspace: Workspace, start: Start, named: NamedNetwork): Promise<void> {
  await attempt(workspace, async () => lookAt(workspace, start, await named.load(), named.name, named.data));
}

/** A model file: looked at if it holds a chain that can be run as it is; else, and in any case, looked into. */
export async function openModel(workspace: Workspace, start: Start, file: File): Promise<void> {
  await shelf.open(file.name, () => host.open(file));
  const { file: opened, problem } = shelf;
  if (problem || !opened?.chain?.activations) workspace.view = "count";
  else
    await attempt(workspace, async () => {
      const network = await opened.network();
      await lookAt(workspace, start, network, workspace.add(opened.name, network, "opened").name);
      if (workspace.view === "count") workspace.view = "look";
    });
}

async function attempt(workspace: Workspace, act: () => Promise<void>): Promise<void> {
  workspace.notice = null;
  try {
    await act();
  } catch (problem) {
    workspace.notice = (problem as Error).message;
  }
}
