/** `Trial` in a worker: one question at a time, one answer each. */

import { Architecture } from "./architecture.ts";
import { Network } from "./network.ts";
import { Trial } from "./compare_networks.ts";
import type { Answer, PlainNetwork, Question } from "./compare_messages.ts";

let trial: Trial;
const network = ({ sizes, activations, parameters }: PlainNetwork): Network =>
  new Network(new Architecture(sizes, activations), parameters);

addEventListener("message", ({ data: question }: MessageEvent<Question>) => {
  const send = (answer: Answer): void => postMessage(answer);
  try {
    if ("module" in question) trial = new Trial(question.module, question.examples);
    else if ("network" in question) send({ result: trial.examine(network(question.network)) });
    else send({ result: trial.match(network(question.a), network(question.b)) });
  } catch (problem) {
    send({ problem: (problem as Error).message });
  }
});
