/** Asks the worker in which networks are tried. Answers come in the order of the questions. */

import type { Squish } from "../kernel/names.ts";
import type { Network } from "./network.ts";
import type { Answers, Examples, Matching } from "./trial.ts";
import TrialWorker from "./trial.worker.ts?worker";

/** A network as it is sent. */
export interface PlainNetwork {
  readonly sizes: readonly number[];
  readonly activations: readonly Squish[];
  readonly parameters: Float32Array;
}
export type Question =
  | { kind: "begin"; module: WebAssembly.Module; examples: Examples | null }
  | { kind: "answers"; network: PlainNetwork }
  | { kind: "match"; a: PlainNetwork; b: PlainNetwork };
export type Answer = { result: Answers | Matching } | { problem: string };

const plain = ({ architecture: { sizes, activations }, parameters }: Network): PlainNetwork => ({
  sizes,
  activations,
  parameters,
});

export class Trials {
  readonly #worker = new TrialWorker();
  readonly #waiting: { resolve(result: never): void; reject(problem: Error): void }[] = [];

  constructor(module: WebAssembly.Module, examples: Examples | null) {
    this.#worker.postMessage({ kind: "begin", module, examples } satisfies Question);
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const asked = this.#waiting.shift();
      if ("problem" in data) asked?.reject(new Error(data.problem));
      else asked?.resolve(data.result as never);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#waiting.splice(0).forEach(({ reject }) => reject(new Error(`The comparison stopped: ${event.message}`)));
    };
  }

  answers(network: Network): Promise<Answers> {
    return this.#ask({ kind: "answers", network: plain(network) });
  }

  /** Both of the same sizes and squishes. */
  match(a: Network, b: Network): Promise<Matching> {
    return this.#ask({ kind: "match", a: plain(a), b: plain(b) });
  }

  /** How many questions are open. */
  get busy(): number {
    return this.#waiting.length;
  }

  close(): void {
    this.#worker.terminate();
  }

  #ask<T>(question: Question): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(question);
    });
  }
}
