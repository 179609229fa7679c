/** What the training worker does: a run, its timeline and its test, in slices short enough that every message is heard at
 * once. It knows no worker: it is handed how to post and how to be called again. */

import type { Dataset } from "../data/dataset.ts";
import { Architecture } from "../network/architecture.ts";
import { initial } from "../network/initializers.ts";
import { RunningScore } from "./running_score.ts";
import { Gradients, type Gradient } from "./gradients.ts";
import { binOf, joined, type Bin } from "./loss_history.ts";
import type { FromWorker, Preview, ToWorker } from "./messages.ts";
import { MOST_EXAMPLES, previewOf } from "./preview.ts";
import { Run } from "./run.ts";
import { goTo, Timeline } from "./timeline.ts";
import { Unit } from "./target_scaling.ts";
import { Walk } from "./step_phases.ts";

const SLICE = 6; // ms of work between looks at the messages
const SHARE_OF_TESTS = 0.15; // of the time, while it plays
const REST = 8; // after a snapshot that took a while, so many times that while nothing but steps

export type Post = (message: FromWorker, transfer: ArrayBuffer[]) => void;
export type Later = (work: () => void) => void;

interface Going {
  readonly until: number;
  readonly aFrame: number;
}

export class Session {
  readonly #post: Post;
  readonly #later: Later;
  #module: WebAssembly.Module | null = null;
  #data: { train: Dataset; test: Dataset } | null = null;
  #number = 0;
  #run: Run | null = null;
  /** What comes from the page, and goes to it, is told in this. */
  #unit: Unit | null = null;
  #timeline = new Timeline();
  #score: RunningScore | null = null;
  #gradients: Gradients | null = null;
  #walk: Walk | null = null;
  /** The rate of the steps to come; the run's own is that of the steps before. */
  #rate = 0;
  #edit = 0;
  #order = 0;
  #reach = 0;
  #going: Going | null = null;
  #seek: number | null = null;
  /** Where it was found that the run diverged, until the page is told. */
  #diverged: number | null = null;
  #losses: Bin | null = null;
  #frame = true;
  /** Steps that may still be made for this frame. */
  #left = 0;
  #restUntil = 0;
  #spent = { testing: 0, since: 0 };
  #due = false;

  constructor(post: Post, later: Later) {
    this.#post = post;
    this.#later = later;
  }

  take(message: ToWorker): void {
    try {
      this.#take(message);
    } catch (problem) {
      this.#problem(problem);
    }
  }

  #take(message: ToWorker): void {
    switch (message.kind) {
      case "kernel":
        this.#module = message.module;
        return;
      case "data":
        this.#data = message;
        return;
      case "start":
        return this.#start(message);
      case "frame":
        this.#frame = true;
        this.#left = this.#going?.aFrame ?? 0;
        return this.#wake();
    }
    if (!this.#run) return;
    if (message.kind !== "rate" && message.kind !== "edit") this.#going = null;
    if (message.kind !== "sample") this.#walk = null;
    if ("order" in message) this.#order = message.order;
    switch (message.kind) {
      case "play":
        this.#going = message;
        this.#left = message.aFrame;
        this.#spent = { testing: 0, since: performance.now() };
        return this.#wake();
      case "pause":
        this.#seek = null;
        return this.#arrive();
      case "sample":
        return this.#sample(this.#run);
      case "seek":
        this.#seek = Math.max(0, Math.min(this.#reach, message.step));
        return this.#wake();
      case "rate":
        this.#rate = message.rate;
        if (!this.#going) this.#preview(this.#run);
        return;
      case "edit":
        this.#run.restore({
          ...this.#run.state(),
          parameters: this.#unit!.learnt(message.parameters),
          rate: this.#rate,
        });
        this.#timeline.fork(this.#run.state());
        this.#reach = this.#run.step;
        this.#edit = message.edit;
        return this.#arrive();
    }
  }

  #start({ run, sizes, squishes, from, settings }: ToWorker & { kind: "start" }): void {
    if (!this.#module || !this.#data) throw new Error("There is nothing to learn from yet.");
    this.#number = run;
    this.#run = null; // its memory goes before the next one comes
    const architecture = new Architecture(sizes, squishes);
    const unit = (this.#unit = new Unit(architecture, this.#data.train));
    const [train, test] = [unit.standardised(this.#data.train), unit.standardised(this.#data.test)];
    const parameters =
      "rule" in from ? initial(this.#module, from.seed, architecture, from.rule) : unit.learnt(from.parameters);
    const most = Math.min(settings.batchSize, MOST_EXAMPLES);
    this.#run = new Run(this.#module, architecture, train, settings, parameters);
    this.#gradients = new Gradients(this.#module, architecture, train, settings.loss, most);
    this.#score = new RunningScore(this.#module, architecture, test, settings.loss);
    this.#timeline = new Timeline();
    this.#timeline.fork(this.#run.state());
    this.#rate = settings.rate;
    this.#edit = this.#reach = this.#restUntil = 0;
    this.#going = this.#seek = this.#walk = this.#losses = null;
    this.#arrive();
  }

  // ---- Work in slices

  #wake(): void {
    if (this.#due) return;
    this.#due = true;
    this.#later(() => {
      this.#due = false;
      try {
        const until = performance.now() + SLICE;
        let more = true;
        while (more && performance.now() < until) more = this.#work(until);
        if (more) this.#wake();
      } catch (problem) {
        this.#problem(problem);
      }
    });
  }

  /** One piece of whatever there is to do; whether there may be more. */
  #work(until: number): boolean {
    const run = this.#run;
    if (!run) return false;
    if (this.#seek !== null) {
      if (!goTo(run, this.#timeline, this.#seek, () => performance.now() > until)) return true;
      this.#seek = null;
      this.#losses = null;
      this.#arrive();
      return true;
    }
    if (this.#going && this.#left > 0) this.#go(run, this.#going);
    return this.#test() || (this.#going !== null && this.#left > 0);
  }

  #go(run: Run, { until, aFrame }: Going): void {
    const from = run.step;
    if (from < until) this.#advance(run, Math.min(until - from, this.#left, run.stride));
    this.#left -= run.step - from;
    if (run.step >= until || !this.#going) {
      this.#going = null;
      return this.#arrive();
    }
    const due = aFrame === Infinity ? performance.now() >= this.#restUntil : this.#left <= 0;
    if (!this.#frame || !due) return;
    if (finite(run)) this.#show(run);
    else this.#arrive();
  }

  #advance(run: Run, steps: number): void {
    if (run.step < this.#reach) this.#timeline.cut(run.step);
    if (run.rate !== this.#rate) {
      run.rate = this.#rate;
      this.#timeline.fork(run.state());
    }
    const from = run.step;
    const losses = run.advance(steps);
    const good = losses.subarray(0, run.step - from);
    this.#reach = run.step;
    if (good.length) this.#losses = this.#losses ? joined(this.#losses, binOf(from, good)) : binOf(from, good);
    if (good.length < losses.length) this.#diverge(run);
    else if (this.#timeline.due(run.step)) this.#timeline.add(run.state());
  }

  /** Stops, at the last state that is known to be good. */
  #diverge(run: Run): void {
    this.#going = null;
    this.#diverged = run.step;
    if (!finite(run)) run.restore(this.#timeline.good());
  }

  /** A piece of the test, if its share of the time is not used up; whether there is more of it. */
  #test(): boolean {
    const evaluation = this.#score!;
    if (!evaluation.busy || this.#tested()) return evaluation.busy;
    const began = performance.now();
    const score = evaluation.work();
    if (score) this.#say({ kind: "score", score });
    this.#spent.testing += performance.now() - began;
    return evaluation.busy;
  }

  /** Whether enough of the time went into tests. */
  #tested(): boolean {
    const playing = this.#going !== null && this.#left > 0;
    return playing && this.#spent.testing > SHARE_OF_TESTS * (performance.now() - this.#spent.since);
  }

  // ---- What the page gets to see

  /** The run stands still: the page sees where, and what the next step would do. */
  #arrive(): void {
    const run = this.#run!;
    if (!finite(run)) this.#diverge(run);
    this.#show(run);
    if (this.#diverged !== null) this.#say({ kind: "diverged", step: this.#diverged });
    this.#diverged = null;
    if (!this.#going) this.#preview(run);
    this.#wake();
  }

  #show(run: Run): void {
    const began = performance.now();
    const parameters = run.parameters();
    const [losses, playing] = [this.#losses, this.#going !== null];
    this.#losses = null;
    this.#frame = false;
    if (!playing || !(this.#score!.busy || this.#tested())) this.#score!.begin(run.step, parameters);
    const [edit, order] = [this.#edit, this.#order];
    this.#unit!.told(parameters);
    this.#say({ kind: "snapshot", step: run.step, edit, parameters, losses, playing, order }, [parameters.buffer]);
    const now = performance.now();
    this.#restUntil = now + REST * (now - began);
  }

  #preview(run: Run): void {
    const preview = this.#nextStep(run);
    if (preview) this.#say(preview, [preview.gradient.buffer, preview.move.buffer]);
  }

  #nextStep(run: Run): Preview | null {
    const preview = previewOf(run, this.#gradients!, this.#rate);
    if (!preview) return null;
    const { gradient, move } = preview;
    return { ...preview, gradient: this.#unit!.toldGradient(gradient), move: this.#unit!.toldMove(move) };
  }

  #sample(run: Run): void {
    const gradientOf = (examples: readonly number[]): Gradient => {
      const { loss, slopes } = this.#gradients!.of(run.parameters(), examples);
      return { loss, slopes: this.#unit!.toldGradient(slopes) };
    };
    this.#walk ??= new Walk(run.nextBatch(), gradientOf);
    const sample = this.#walk.next();
    if (sample) return this.#say(sample, sample.gradient ? [sample.gradient.buffer] : []);
    this.#walk = null;
    const preview = this.#nextStep(run);
    this.#advance(run, 1);
    this.#arrive();
    if (!preview) return;
    const { examples, loss, gradient, move } = preview;
    this.#say({ kind: "sample", phase: "update", example: -1, position: examples, of: examples, loss, gradient, move });
  }

  #say(
    message: FromWorker extends infer M ? (M extends { run: number } ? Omit<M, "run"> : never) : never,
    transfer: ArrayBuffer[] = [],
  ): void {
    this.#post({ ...message, run: this.#number } as FromWorker, transfer);
  }

  #problem(problem: unknown): void {
    this.#going = this.#seek = null;
    this.#say({ kind: "problem", message: problem instanceof Error ? problem.message : String(problem) });
  }
}

const finite = (run: Run): boolean => run.parameters().every(Number.isFinite);
