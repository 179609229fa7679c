import { describe, expect, it } from "vitest";
import type { Start } from "../src/host/types.ts";
import { Architecture } from "../src/network/architecture.ts";
import { Network } from "../src/network/network.ts";
import { lessonOf, linkOf, restore } from "../src/state/link.ts";
import { lesson, NO_LESSON } from "../src/state/lesson.svelte.ts";
import { Workspace } from "../src/state/workspace.svelte.ts";
import { kernel } from "./kernel.ts";

const architecture = new Architecture([4, 3, 2], ["sigmoid", "softmax"]);
const network = new Network(
  architecture,
  Float32Array.from({ length: architecture.total }, (_, i) => Math.fround(Math.sin(i))),
  { classes: ["no", "yes"] },
);
const other = network.withParameters(network.parameters.map((value) => -value));

/** A page as it opens: with two networks that come along. */
function page(): Workspace {
  const input = { values: new Float32Array(4), from: "all zero" };
  const workspace = new Workspace(kernel, network, "first", input);
  workspace.views = ["look", "compare", "count"];
  workspace.networks = [
    { name: "first", from: "example", load: async () => network },
    { name: "second", from: "example", load: async () => other },
  ];
  return workspace;
}
const START: Start = { version: "", networks: [], files: [], state: null, table: null };
const comesAlong = (name: string): boolean => name === "first" || name === "second";

async function sent(from: Workspace, lesson = NO_LESSON): Promise<{ to: Workspace; link: string }> {
  const link = await linkOf(from, lesson, { comesAlong });
  const to = page();
  expect(await restore(to, START, link)).toEqual([]);
  return { to, link };
}

describe("a link", () => {
  it("carries view, neuron and network", async () => {
    const from = page();
    from.show(other, "second");
    from.view = "count";
    from.focus = { layer: 1, neuron: 1 };
    const { to, link } = await sent(from);
    expect([to.view, to.focus, to.name, to.network]).toEqual(["count", { layer: 1, neuron: 1 }, "second", other]);
    expect(link.length).toBeLessThan(150);
  });

  it("carries edits as differences, as one step that can be undone", async () => {
    const from = page();
    from.change(network.edit({ layer: 0, neuron: 2 }, { bias: 1.5 }).withActivation(0, "relu"), "two things");
    const { to } = await sent(from);
    expect(to.network.parameters).toEqual(from.network.parameters);
    expect(to.network.activation(0)).toBe("relu");
    expect(to.edits.done.map(({ what }) => what)).toEqual(["two things"]);
    to.undo();
    expect(to.network).toBe(network);
  });

  it("carries a network that does not come along", async () => {
    const from = page();
    from.show(new Network(architecture, other.parameters, { classes: ["a", "b"] }), "mine");
    const { to } = await sent(from);
    expect(to.name).toBe("mine");
    expect(to.network).toEqual(from.network);
  });

  it.each([
    ["grey values", Float32Array.of(0, 1 / 255, 128 / 255, 1).map((v) => Math.round(v * 255) * Math.fround(1 / 255))],
    ["floats", Float32Array.of(0.1, -2.5, 1e-20, 3)],
  ])("carries an input of %s, bit by bit", async (_, values) => {
    const from = page();
    from.input = { values, from: "drawn" };
    expect((await sent(from)).to.input).toEqual({ values, from: "drawn" });
  });

  it("carries what is compared", async () => {
    const from = page();
    from.view = "compare";
    await from.comparison.choose("right", "variation");
    from.comparison.variation = { kind: "round", strength: 3, seed: 7 };
    const { to } = await sent(from);
    expect(to.comparison.right).toBe("variation");
    expect(to.comparison.variation).toEqual({ kind: "round", strength: 3, seed: 7 });
  });

  it("carries a lesson", async () => {
    const lesson = { text: "What does 0:3 look for? & why", hidden: ["train", "share"] as const, locked: true };
    const { link } = await sent(page(), lesson);
    expect(lessonOf(link)).toEqual(lesson);
  });
});

describe("a bad link", () => {
  it.each([
    ["network=third", /a network third, which is not here/],
    ["network=x&numbers=AAAA", /cut off or changed/],
    ["network=first&changes=!!!!", /cut off or changed/],
    ["view=moon", /a view moon/],
    ["focus=9:9", /no neuron 9:9/],
    ["focus=0:-1", /no neuron/],
    ["example=5", /example 5, which is not here/],
    ["input=H4sIAAAAAAAAA2MAAI3vAtIBAAAA", /does not fit/],
    ["variation=explode,1,1", /variation/],
    ["right==nobody", /compares with a network nobody/],
    ["x".repeat(2_000_000), /too long/],
  ])("%.40s is told and leaves the page as it was", async (link, problem) => {
    const to = page();
    const problems = await restore(to, START, link);
    expect(problems.join()).toMatch(problem);
    expect([to.network, to.view, to.focus]).toEqual([network, "look", null]);
  });

  it("is read as far as it goes", async () => {
    const to = page();
    expect(await restore(to, START, "view=count&focus=9:9")).toHaveLength(1);
    expect(to.view).toBe("count");
  });

  it("hides what it names, and nothing else", () => {
    lesson.begin(lessonOf("lesson=a&hide=train,constructor,everything"));
    expect(["train", "card", "compare"].map((name) => lesson.hides(name))).toEqual([true, false, false]);
  });
});
