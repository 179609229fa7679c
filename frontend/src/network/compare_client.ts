/** Asks the worker in which networks are tried: one question at a time, and what has been overtaken is not asked at all. */

import type { Answer, PlainNetwork, Question } from "./compare_messages.ts";
import type { Matching } from "./compare_networks.ts";
import type { Examination, Examples } from "./evaluation.ts";
import type { Network } from "./network.ts";
import TrialWorker from "./compare.worker.ts?worker";

interface Waiting {
  readonly slot: string;
  readonly question: Question;
  answered(result: unknown): void;
  failed(problem: Error): void;
}

const plain = ({ architecture: { sizes, activations }, parameters }: Network): PlainNetwork => ({
  sizes,
  activations,
  parameters,
});

export class Trials {
  readonly #worker = new TrialWorker();
  #waiting: Waiting[] = [];
  #asked: Waiting | null = null;

  constructor(module: WebAssembly.Module, examples: Examples | null) {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const asked = this.#asked;
      this.#asked = null;
      this.#goOn();
      if ("problem" in data) asked?.failed(new Error(data.problem));
      else asked?.answered(data.result);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#asked?.failed(new Error(`The comparison stopped: ${event.message}`));
    };
    this.#worker.postMessage({ module, examples } satisfies Question);
  }

  /** null if another network was asked about in this slot before it was this one's turn. */
  examine(slot: string, network: Network): Promise<Examination | null> {
    return this.#ask(slot, { network: plain(network) });
  }

  /** Both of the same sizes and squishes. */
  match(a: Network, b: Network): Promise<Matching | null> {
    return this.#ask("match", { a: plain(a), b: plain(b) });
  }

  close(): void {
    this.#worker.terminate();
  }

  #ask<T>(slot: string, question: Question): Promise<T | null> {
    this.#waiting.find((each) => each.slot === slot)?.answered(null);
    this.#waiting = this.#waiting.filter((each) => each.slot !== slot);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ slot, question, answered: (result) => resolve(result as T | null), failed: reject });
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#asked) return;
    this.#asked = this.#waiting.shift() ?? null;
    if (this.#asked) this.#worker.postMessage(this.#asked.question);
  }
}
