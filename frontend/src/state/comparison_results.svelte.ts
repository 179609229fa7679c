/** The two networks of a comparison tried on all examples, in a worker: what each is worth, where they disagree, which
 * neurons go together, what lies on the line between them. Made in a component, and lives as long as it does. */

import type { Dataset } from "../data/dataset.ts";
import { between } from "../network/interpolation.ts";
import { disagreement, figureOf, type Disagreement } from "../network/disagreement.ts";
import type { Examination } from "../network/evaluation.ts";
import type { Network } from "../network/network.ts";
import type { Matching } from "../network/compare_networks.ts";
import { Trials } from "../network/compare_client.ts";
import { STRENGTHS } from "../network/perturbations.ts";
import type { Comparison } from "./comparison.svelte.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** What a network is worth at so much of something. */
export type Point = readonly [at: number, figure: number];

const POINTS = 20; // steps of a curve
const PAUSE = 150; // ms that must pass without a change before a whole curve is computed

export class Tried {
  readonly #comparison: Comparison;
  #trials: Trials | null = $state.raw(null);
  #matched: { readonly a: Network; readonly b: Network; readonly matching: Matching } | null = $state.raw(null);

  a: Examination | null = $state.raw(null);
  b: Examination | null = $state.raw(null);
  problem: string | null = $state(null);

  /** How far along the line from a to b. */
  share: number = $state(0.5);
  /** Whether b's neurons are brought into a's order before the numbers are mixed. */
  ordered: boolean = $state(true);
  middle: Examination | null = $state.raw(null);
  plainLine: readonly Point[] = $state.raw([]);
  orderedLine: readonly Point[] = $state.raw([]);
  /** What is left at each strength of the chosen variation. */
  strengths: readonly Point[] = $state.raw([]);

  /** What the networks are tried on. */
  readonly data: Dataset | null;
  readonly disagreement: Disagreement | null = $derived(
    this.a?.taken.length && this.a.taken.length === this.b?.taken.length ? disagreement(this.a, this.b) : null,
  );
  readonly #fitting = $derived.by(() => {
    const { a, b, unlike } = this.#comparison;
    return a && b && !unlike && this.#matched?.b.architecture.same(a.architecture) ? this.#matched : null;
  });
  /** Which neurons go together; null for networks of different structure. */
  readonly matching: Matching | null = $derived(this.#fitting?.matching ?? null);
  readonly bInOrder: Network | null = $derived(this.#fitting && inOrder(this.#fitting));
  readonly mixed: Network | null = $derived.by(() => {
    const { a, b, unlike } = this.#comparison;
    const end = this.ordered ? this.bInOrder : b;
    return a && end && !unlike ? between(a, end, this.share) : null;
  });

  constructor(workspace: Workspace) {
    const comparison = (this.#comparison = workspace.comparison);
    this.data = $derived(workspace.data?.width === comparison.a?.architecture.sizes[0] ? workspace.data : null);
    $effect(() => {
      const trials = new Trials(workspace.kernel, examplesOf(this.data));
      this.#trials = trials;
      return () => trials.close();
    });
    this.#follow("a", () => comparison.a, (found) => (this.a = found)); // prettier-ignore
    this.#follow("b", () => (comparison.apart ? null : comparison.b), (found) => (this.b = found)); // prettier-ignore
    this.#follow("middle", () => (this.#drawsLine ? this.mixed : null), (found) => (this.middle = found)); // prettier-ignore
    this.#match();
    const line = (end: () => Network | null) => (): ((share: number) => Network) | null => {
      const [{ a }, b] = [comparison, this.#drawsLine ? end() : null];
      return a && b && a.architecture.same(b.architecture) ? (share) => between(a, b, share) : null;
    };
    const whole = { min: 0, max: 1, step: 0.05 };
    this.#curve("plain", line(() => comparison.b), () => whole, (points) => (this.plainLine = points)); // prettier-ignore
    this.#curve("ordered", line(() => this.bInOrder), () => whole, (points) => (this.orderedLine = points)); // prettier-ignore
    const { kind, seed } = $derived({ kind: comparison.variation.kind, seed: comparison.variation.seed });
    this.#curve(
      "strengths",
      () =>
        comparison.right === "variation" && comparison.a
          ? (strength) => comparison.varied({ kind, seed, strength })!
          : null,
      () => STRENGTHS[kind],
      (points) => (this.strengths = points),
    );
  }

  get #drawsLine(): boolean {
    return this.#comparison.right !== "variation" && !this.#comparison.unlike;
  }

  /** Keeps the figures of whatever network this is. */
  #follow(slot: string, network: () => Network | null, found: (examination: Examination | null) => void): void {
    $effect(() => {
      const [trials, asked] = [this.#trials, network()];
      if (!trials || !asked || !this.data) return found(null);
      let live = true;
      trials.examine(slot, asked).then((examination) => live && examination && found(examination), this.#failed);
      return () => (live = false);
    });
  }

  #match(): void {
    $effect(() => {
      const [trials, { a, b, unlike, apart }] = [this.#trials, this.#comparison];
      if (!trials || !a || !b || unlike || apart) return;
      let live = true;
      trials.match(a, b).then((matching) => live && matching && (this.#matched = { a, b, matching }), this.#failed);
      return () => (live = false);
    });
  }

  /** Point after point of a curve. */
  #curve(
    slot: string,
    network: () => ((at: number) => Network) | null,
    range: () => { min: number; max: number; step: number },
    found: (points: readonly Point[]) => void,
  ): void {
    $effect(() => {
      const [trials, at, { min, max, step }] = [this.#trials, network(), range()];
      if (!trials || !at || !this.data) return found([]);
      let live = true;
      const places = Math.min(POINTS, Math.round((max - min) / step));
      const compute = async (): Promise<void> => {
        const points: Point[] = [];
        for (let i = 0; live && i <= places; i++) {
          const x = min + ((max - min) * i) / places;
          const examination = await trials.examine(slot, at(x));
          const figure = examination && figureOf(examination);
          if (!live || figure === null) return;
          found([...points, [x, figure]]);
          points.push([x, figure]);
        }
      };
      const timer = setTimeout(() => compute().catch(this.#failed), PAUSE);
      return () => {
        live = false;
        clearTimeout(timer);
      };
    });
  }

  readonly #failed = (problem: Error): void => {
    this.problem = problem.message;
  };
}

const inOrder = ({ b, matching }: { b: Network; matching: Matching }): Network => b.withParameters(matching.inOrder);

function examplesOf(data: Dataset | null): Pick<Dataset, "inputs" | "targets" | "width"> | null {
  if (!data) return null;
  const { inputs, targets, width } = data;
  return { inputs, targets, width };
}
