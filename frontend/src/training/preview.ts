/** What the next step would do: the gradient of its batch, and the step itself, taken and taken back. */

import type { Gradients } from "./gradients.ts";
import type { Preview } from "./messages.ts";
import type { Run } from "./run.ts";

const MOST_PARAMETERS = 4e6;
/** Batches of more examples are not looked into. */
export const MOST_EXAMPLES = 4096;

/** At this rate; null for networks and batches so large that it would have to be waited for. */
export function previewOf(run: Run, gradients: Gradients, rate: number): Preview | null {
  const examples = run.nextBatch();
  if (run.architecture.total > MOST_PARAMETERS || examples.length > MOST_EXAMPLES) return null;
  const before = run.state();
  const { loss, slopes } = gradients.of(before.parameters, examples);
  run.rate = rate;
  run.advance(1);
  const move = run.parameters().map((after, i) => after - before.parameters[i]);
  run.restore(before);
  return { kind: "preview", step: run.step, examples: examples.length, loss, gradient: slopes, move };
}
