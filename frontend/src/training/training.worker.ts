/** The training worker: a `Session` behind messages. A channel to itself calls it again, at once but after what came in. */

import type { ToWorker } from "./messages.ts";
import { Session } from "./session.ts";

const channel = new MessageChannel();
let next: (() => void) | null = null;
channel.port1.onmessage = () => next?.();

const session = new Session(
  (message, transfer) => self.postMessage(message, { transfer }),
  (work) => {
    next = work;
    channel.port2.postMessage(null);
  },
);
self.onmessage = ({ data }: MessageEvent<ToWorker>) => session.take(data);
