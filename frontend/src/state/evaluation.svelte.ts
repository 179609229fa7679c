/** How good the network is on the whole data set, as it is now and as it was before any edit. Asked anew whenever one of
 * them changes; a worker computes it, one at a time, and what has been overtaken meanwhile is not computed at all. */

import { untrack } from "svelte";
import type { Dataset } from "../data/dataset.ts";
import type { Examination } from "../network/evaluation.ts";
import type { Answer, Ask } from "../network/evaluation.worker.ts";
import ExaminerWorker from "../network/evaluation.worker.ts?worker";
import type { Network } from "../network/network.ts";

/** What is examined: the workspace. */
interface Examined {
  readonly kernel: WebAssembly.Module;
  readonly network: Network;
  readonly original: Network;
  readonly data: Dataset | null;
  readonly moving: boolean;
}

/** While a network trains, the kernel is left to it for so long, in ms, between two examinations. */
const PAUSE = 400;

export class Examiner {
  /** Of the network as it is; while a knob moves, of the last state that was examined. null: not known (yet). */
  now: Examination | null = $state.raw(null);
  /** Of the network before any edit. */
  before: Examination | null = $state.raw(null);
  problem: string | null = $state(null);

  readonly accuracy: number | null = $derived(this.now?.accuracy ?? null);
  readonly accuracyBefore: number | null = $derived(this.before?.accuracy ?? null);
  /** Indices of the examples that the network gets wrong. */
  readonly wrong: Int32Array | null = $derived(this.now?.wrong ?? null);

  readonly #kernel: WebAssembly.Module;
  #worker: Worker | null = null;
  #data: Dataset | null = null;
  #network: Network | null = null;
  #original: Network | null = null;
  #known = new WeakMap<Network, Examination>();
  #wanted: Network[] = [];
  #asked: { job: number; network: Network; original: Network } | null = null;
  #jobs = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(examined: Examined) {
    this.#kernel = examined.kernel;
    $effect.root(() => {
      $effect(() => {
        const { network, original, data, moving } = examined;
        const fits = data?.width === network.architecture.sizes[0] && !moving;
        untrack(() => this.#look(network, original, fits ? data : null));
      });
    });
  }

  #look(network: Network, original: Network, data: Dataset | null): void {
    const other = original.architecture !== this.#original?.architecture;
    const trains = !other && original !== this.#original;
    [this.#network, this.#original] = [network, original];
    if (data && data !== this.#data) this.#take(data);
    if (!data || other) this.now = this.before = null;
    this.problem = null;
    this.#wanted = data ? [network, original].filter((each, i, all) => all.indexOf(each) === i) : [];
    if (!trains) this.#goOn();
    else
      this.#pause ??= setTimeout(() => {
        this.#pause = undefined;
        this.#goOn();
      }, PAUSE);
  }

  #take(data: Dataset): void {
    if (!this.#worker) {
      this.#worker = new ExaminerWorker();
      this.#worker.onmessage = ({ data: answer }: MessageEvent<Answer>) => this.#hear(answer);
    }
    this.#data = data;
    this.#known = new WeakMap();
    this.#asked = null;
    this.now = this.before = null;
    const { inputs, targets, width } = data;
    this.#post({ examples: { inputs, targets, width }, kernel: this.#kernel });
  }

  /** Shows what is known, and asks for what is not, unless an answer is due. */
  #goOn(): void {
    if (this.#wanted.length > 0) {
      this.now = this.#known.get(this.#network!) ?? this.now;
      this.before = this.#known.get(this.#original!) ?? this.before;
    }
    this.#wanted = this.#wanted.filter((network) => !this.#known.has(network));
    const network = this.#wanted[0];
    if (this.#asked || !network) return;
    this.#asked = { job: ++this.#jobs, network, original: this.#original! };
    const { sizes, activations } = network.architecture;
    this.#post({ job: this.#jobs, sizes, activations, parameters: network.parameters });
  }

  #hear(answer: Answer): void {
    if (answer.job !== this.#asked?.job) return; // of data that is no longer looked at
    const { network, original } = this.#asked;
    this.#asked = null;
    if ("problem" in answer) {
      if (network === this.#network) this.problem = answer.problem;
      this.#wanted = this.#wanted.filter((each) => each !== network);
    } else {
      this.#known.set(network, answer.examination);
      // Overtaken by a knob that goes on moving, or by training: still the nearest that is known.
      const same = original.architecture === this.#original!.architecture;
      if (same && (network !== original || original !== this.#original)) this.now = answer.examination;
    }
    if (this.#pause === undefined) this.#goOn();
  }

  #post(ask: Ask): void {
    this.#worker!.postMessage(ask);
  }
}
