/** The line to the training worker, which is started with the page, since the server may be gone when it is needed, and
 * again if it was lost. */

import type { Parts } from "./setup.svelte.ts";
import type { FromWorker, ToWorker } from "../training/messages.ts";
import TrainingWorker from "../training/training.worker.ts?worker";

export class WorkerLine {
  readonly #kernel: WebAssembly.Module;
  readonly #hear: (message: FromWorker) => void;
  readonly #lost: (message: string) => void;
  #worker: Worker | null = null;
  #told: Parts | null = null;

  constructor(kernel: WebAssembly.Module, hear: (message: FromWorker) => void, lost: (message: string) => void) {
    this.#kernel = kernel;
    this.#hear = hear;
    this.#lost = lost;
    this.#start();
  }

  send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  /** Has the worker ready, with these data; they are copied to it once. */
  open(parts: Parts): void {
    if (!this.#worker) this.#start();
    if (this.#told !== parts) this.send({ kind: "data", ...parts });
    this.#told = parts;
  }

  #start(): void {
    this.#worker = new TrainingWorker();
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    this.#worker.onerror = ({ message }) => this.#close(message);
    this.#told = null;
    this.send({ kind: "kernel", module: this.#kernel });
  }

  #close(message: string): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#lost(message);
  }
}
