/** Examines networks beside the page, so that no frame waits for ten thousand digits. It holds one data set. */

import type { Squish } from "../core/names.ts";
import { Architecture } from "./architecture.ts";
import { Exam, type Examination, type Examples } from "./evaluation.ts";

export type Ask =
  | { examples: Examples; kernel: WebAssembly.Module }
  | { job: number; sizes: readonly number[]; activations: readonly Squish[]; parameters: Float32Array };
export type Answer = { job: number } & ({ examination: Examination } | { problem: string });

let exam: Exam | null = null;

onmessage = ({ data: ask }: MessageEvent<Ask>) => {
  if ("examples" in ask) {
    exam = new Exam(ask.kernel, ask.examples);
    return;
  }
  const { job, sizes, activations, parameters } = ask;
  try {
    answer({ job, examination: exam!.examine(new Architecture(sizes, activations), parameters) });
  } catch (problem) {
    answer({ job, problem: (problem as Error).message });
  }
};

const answer = (message: Answer): void => postMessage(message);
