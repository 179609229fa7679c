/** A view is one folder and one line: added to a copy of the sources, it is on the page, in links and in lessons. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";

const HERE = new URL("..", import.meta.url).pathname;
const copy = mkdtempSync(join(tmpdir(), "glassnet-page-"));
afterAll(() => rmSync(copy, { recursive: true }));

const INDEX = `import type { View } from "../view.ts";
import SizesPanel from "./SizesPanel.svelte";

export const view: View = { id: "sizes", label: "Sizes of layers", panel: SizesPanel };
`;
const PANEL = `<script lang="ts">
  import type { Workspace } from "../../state/workspace.svelte.ts";
  let { workspace }: { workspace: Workspace } = $props();
</script>

<p>Layers of {workspace.network.architecture.sizes.join(", ")}</p>
`;

test("a folder and a line add a view", { timeout: 120_000 }, () => {
  const frontend = join(copy, "frontend");
  for (const part of ["src", "index.html", "package.json", "tsconfig.json", "vite.config.ts", "single_file.plugin.ts"])
    cpSync(join(HERE, part), join(frontend, part), { recursive: true });
  cpSync(join(HERE, "..", "pyproject.toml"), join(copy, "pyproject.toml"));
  symlinkSync(join(HERE, "node_modules"), join(frontend, "node_modules"));

  mkdirSync(join(frontend, "src/views/sizes"));
  writeFileSync(join(frontend, "src/views/sizes/index.ts"), INDEX);
  writeFileSync(join(frontend, "src/views/sizes/SizesPanel.svelte"), PANEL);
  const registry = join(frontend, "src/views/index.ts");
  const lines = readFileSync(registry, "utf8");
  const more = lines
    .replace("import type { View }", 'import { view as sizes } from "./sizes/index.ts";\nimport type { View }')
    .replace("look, compare, count]", "look, compare, count, sizes]");
  writeFileSync(registry, more);

  const node = (script: string, ...rest: string[]): string =>
    execFileSync(process.execPath, [join(HERE, "node_modules", script), ...rest], { cwd: frontend, encoding: "utf8" });
  expect(node("svelte-check/bin/svelte-check", "--tsconfig", "./tsconfig.json")).toContain("0 errors");
  node("vite/bin/vite.js", "build");
  const built = join(copy, "src/glassnet/web/page");
  expect(readdirSync(built)).toEqual(["page.html.gz"]);
  const page = gunzipSync(readFileSync(join(built, "page.html.gz"))).toString();
  expect(page).toContain("Sizes of layers");
  expect(page).toContain("Layers of ");
});
