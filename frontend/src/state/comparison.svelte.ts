/** Which two networks are compared, side by side on the one input. Kept while one looks elsewhere. */

import { SvelteMap } from "svelte/reactivity";
import type { Input } from "../data/dataset.ts";
import type { NamedNetwork } from "../host/types.ts";
import { inputsDiffer, structureDiffers } from "../network/interpolation.ts";
import type { Network } from "../network/network.ts";
import { Tracer, type Trace } from "../network/trace.ts";
import { varied, variationText, type Variation } from "../network/perturbations.ts";
import { lesson } from "./lesson.svelte.ts";

/** The network as it is now, as it was before the edits, the left one with other numbers, or one by its name. */
export type Side = "now" | "original" | "variation" | NamedNetwork;

export interface Strength {
  readonly kind: Variation;
  /** A share, a spread, or bits (`varied`). */
  readonly strength: number;
  readonly seed: number;
}

/** What the comparison needs of the workspace. */
interface Compared {
  readonly kernel: WebAssembly.Module;
  readonly networks: readonly NamedNetwork[];
  readonly name: string;
  readonly network: Network;
  readonly original: Network;
  readonly edited: boolean;
  readonly input: Input;
  show(network: Network, name: string): void;
  change(network: Network, what: string): void;
}

export class Comparison {
  readonly #workspace: Compared;
  readonly #tracers: readonly [Tracer, Tracer];
  readonly #loaded = new SvelteMap<NamedNetwork, Network>();
  #chosen: Side | null = $state.raw(null);
  /** How many choices were made on each side: one that loads slowly gives way to a later one. */
  readonly #choices = { left: 0, right: 0 };

  left: Side = $state.raw("now");
  variation: Strength = $state.raw({ kind: "scramble", strength: 0.2, seed: 1 });
  /** Why a network could not be loaded. */
  problem: string | null = $state(null);

  /** Until one is chosen: the original of an edited network, else another of the same structure, else any other. */
  readonly right: Side = $derived(this.#chosen ?? this.#proposed());
  readonly a: Network | null = $derived(this.#network(this.left));
  readonly b: Network | null = $derived(this.#network(this.right));

  /** Why the two cannot be compared at all. */
  readonly apart: string | null = $derived(this.a && this.b && inputsDiffer(this.a, this.b));
  /** Why they cannot be compared number by number. */
  readonly unlike: string | null = $derived(this.a && this.b && structureDiffers(this.a, this.b));

  readonly traceA: Trace | null = $derived.by(() => this.#trace(0, this.a));
  readonly traceB: Trace | null = $derived.by(() => (this.apart ? null : this.#trace(1, this.b)));

  constructor(workspace: Compared) {
    this.#workspace = workspace;
    this.#tracers = [new Tracer(workspace.kernel), new Tracer(workspace.kernel)];
  }

  async choose(which: "left" | "right", side: Side): Promise<void> {
    const choice = ++this.#choices[which];
    this.problem = null;
    try {
      await this.#load(side);
    } catch (problem) {
      if (choice === this.#choices[which]) this.problem = (problem as Error).message;
      return;
    }
    if (choice !== this.#choices[which]) return;
    if (which === "left") this.left = side;
    else this.#chosen = side;
  }

  /** Loads the bundled networks, so that one like the left can be proposed; a choice made meanwhile stays. */
  async begin(): Promise<void> {
    const choices = this.#choices.right;
    const loading = this.#workspace.networks
      .filter((each) => each.from === "example" && !this.#loaded.has(each))
      .map(async (each): Promise<[NamedNetwork, Network]> => [each, await each.load()]);
    const found = (await Promise.allSettled(loading)).filter((each) => each.status === "fulfilled");
    found.forEach(({ value: [named, network] }) => this.#loaded.set(named, network));
    if (choices === this.#choices.right) await this.choose("right", this.right);
  }

  async #load(side: Side): Promise<void> {
    if (typeof side === "string" || this.#loaded.has(side)) return;
    this.#loaded.set(side, await side.load());
  }

  swap(): void {
    if (this.right === "variation") return;
    [this.left, this.#chosen] = [this.right, this.left];
  }

  /** The left network with other numbers. */
  varied({ kind, strength, seed }: Strength): Network | null {
    return this.a && varied(this.#workspace.kernel, this.a, kind, strength, seed);
  }

  name(side: Side): string {
    const { name, edited } = this.#workspace;
    if (side === "now") return edited ? `${name}, as it is now` : name;
    if (side === "original") return `${name}, as it was`;
    if (side !== "variation") return side.name;
    const { kind, strength, seed } = this.variation;
    return variationText(kind, strength, seed);
  }

  /** A network of the comparison becomes the one that is looked at: an edit if the structure stays. */
  takeOver(network: Network, what: string): void {
    const { network: now } = this.#workspace;
    if (structureDiffers(now, network)) this.#workspace.show(network, what);
    else this.#workspace.change(now.withParameters(network.parameters), what);
  }

  #proposed(): Side {
    const { networks, edited, name, original } = this.#workspace;
    if (edited) return "original";
    const others = networks.filter((each) => each.name !== name);
    return (
      others.find((each) => this.#loaded.get(each)?.architecture.same(original.architecture)) ??
      others[0] ??
      "variation"
    );
  }

  #network(side: Side): Network | null {
    if (side === "now") return this.#workspace.network;
    if (side === "original") return this.#workspace.original;
    return side === "variation" ? this.varied(this.variation) : (this.#loaded.get(side) ?? null);
  }

  #trace(which: 0 | 1, network: Network | null): Trace | null {
    const { values } = this.#workspace.input;
    return network && values.length === network.architecture.sizes[0]
      ? this.#tracers[which].trace(lesson.hides("names") ? network.nameless : network, values)
      : null;
  }
}
