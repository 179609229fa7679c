/** The run that the page shows: what the training worker says of it, and what it is asked to do. The workspace's network
 * follows its snapshots. Any view may read it. */

import { exampleOf } from "../data/dataset.ts";
import type { Start } from "../host/types.ts";
import { Architecture } from "../network/architecture.ts";
import { Network } from "../network/network.ts";
import type { Score } from "../training/running_score.ts";
import { lastGood } from "../training/loss_history.ts";
import type { FromWorker, Phase, Preview, Sample, Snapshot, StartValues, ToWorker } from "../training/messages.ts";
import { structureOf, type Settings } from "../training/settings.ts";
import { nextFrame } from "./frames.ts";
import { RunRecord } from "./run_record.svelte.ts";
import { isToy, Setup, type Parts, type Source } from "./setup.svelte.ts";
import { WorkerLine } from "./training_client.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** As fast as it goes; an epoch or a step in each frame; a phase of a step at a time. */
export type Speed = "full" | "epoch" | "step" | "phase";

const PHASE = 900; // ms that a phase is shown while it plays by itself

/** What a run was started with. */
interface Begun {
  readonly name: string;
  readonly parts: Parts;
  readonly settings: Settings;
  readonly architecture: Architecture;
  readonly stepsPerEpoch: number;
  /** As it last was; null before the first snapshot. */
  network: Network | null;
}

export class Training {
  readonly setup: Setup;
  readonly #workspace: Workspace;
  readonly #line: WorkerLine;
  #number = 0;
  #edit = 0;
  #order = 0;
  #starting: Promise<boolean> | null = null;
  /** Whether a run was playing when the present one was begun. */
  #resumes = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  run: Begun | null = $state.raw(null);
  playing: boolean = $state(false);
  speed: Speed = $state("full");
  /** Where the run stands. */
  step: number = $state(0);
  rate: number = $state(0);
  record: RunRecord = $state.raw(new RunRecord());
  /** The last good step of a run that diverged, and where it was still well. */
  diverged: { step: number; back: number } | null = $state.raw(null);
  /** What the next step would do, or, while one is walked through, where that is. */
  preview: Preview | null = $state.raw(null);
  sample: Sample | null = $state.raw(null);
  /** What was done with an edit, and what went wrong. */
  note: string | null = $state(null);
  problem: string | null = $state(null);

  /** One slope for each parameter, at this step; and by how much each is moved by it. */
  readonly gradient: Float32Array | null = $derived(
    this.sample?.gradient ?? (this.sample ? null : (this.preview?.gradient ?? null)),
  );
  readonly move: Float32Array | null = $derived(
    this.sample?.move ?? (this.sample ? null : (this.preview?.move ?? null)),
  );
  /** What the picture shows of it: on the way back the gradient, then the moves. */
  readonly turned: { values: Float32Array; what: "gradient" | "move" } | null = $derived.by(() => {
    if (!this.sample || !this.shown) return null;
    const { gradient, move } = this.sample;
    return move ? { values: move, what: "move" } : gradient && { values: gradient, what: "gradient" };
  });
  readonly phase: Phase | null = $derived(this.sample?.phase ?? null);
  readonly score: Score | null = $derived(this.record.scoreAt(this.step));
  readonly loss: number | null = $derived(this.record.lossAt(this.step));
  readonly epoch: number = $derived(this.run ? this.step / this.run.stepsPerEpoch : 0);
  /** Whether the workspace shows this run's network. */
  readonly shown: boolean = $derived.by(() => this.run !== null && this.#workspace.name === this.run.name);

  constructor(workspace: Workspace, start: Start) {
    this.#workspace = workspace;
    this.setup = new Setup(workspace.kernel, start);
    $effect.root(() => {
      $effect(() => {
        workspace.moving = this.playing && this.shown;
      });
      $effect(() => {
        const { gradient, move } = this;
        workspace.step = gradient && this.shown && !workspace.edited ? { gradient, move } : null;
      });
    });
    this.#line = new WorkerLine(
      workspace.kernel,
      (message) => this.#hear(message),
      (message) => this.#lost(message),
    );
  }

  // ---- What it is asked to do

  /** A new run on other data, at a speed at which there is something to see. */
  choose(source: Source): void {
    this.setup.choose(source);
    this.speed = isToy(source) ? "epoch" : "full";
    void this.start();
  }

  /** A new run on a table of the user's own; if it cannot be read, everything stays. */
  async open(file: File): Promise<void> {
    await this.#restart(async () => {
      if (!(await this.setup.open(file))) return null;
      return this.#start();
    });
  }

  /** A new run with the settings as they stand; the same settings give the same bits. It plays if one was playing. */
  async start(): Promise<boolean> {
    return this.#restart(() => this.#start());
  }

  /** Whoever wants to play or to step meanwhile waits for what `begin` makes: a run, none, or null if all stays. */
  async #restart(begin: () => Promise<boolean | null>): Promise<boolean> {
    const starting = begin().then((begun) => begun ?? this.run !== null);
    this.#starting = starting;
    const { run } = this;
    const begun = await starting;
    if (this.#starting === starting) this.#starting = null;
    if (begun && this.#resumes && this.run !== run) await this.play();
    return begun;
  }

  async #start(): Promise<boolean> {
    this.problem = this.note = null;
    this.#resumes = this.playing;
    this.pause();
    try {
      const { setup } = this;
      const parts = await setup.data();
      const settings = setup.settings(parts.train);
      const { sizes, squishes } = setup.structure(parts.train);
      const architecture = structureOf(sizes, squishes, settings, parts.train);
      const from = setup.from === "page" ? this.#onPage(architecture) : { rule: setup.from, seed: setup.seed };
      this.#begin(architecture, from, parts, settings);
      return true;
    } catch (problem) {
      this.problem = (problem as Error).message;
      return false;
    }
  }

  async play(): Promise<void> {
    if (!(await this.#begun())) return;
    this.playing = true;
    if (!this.#takeEdits()) this.#showAgain();
    if (this.speed === "phase") return this.stepSample();
    const { stepsPerEpoch } = this.run!;
    const enough = this.setup.endless ? Infinity : this.setup.epochs * stepsPerEpoch;
    this.#playTo(this.step < enough ? enough : enough + this.setup.epochs * stepsPerEpoch);
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.playing = false;
    if (this.run) this.#send({ kind: "pause", order: ++this.#order });
  }

  toggle(): void {
    if (this.playing) this.pause();
    else void this.play();
  }

  /** The next phase: forward, loss and backward of each example in the batch, then the update. */
  async stepSample(): Promise<void> {
    if (await this.#ready()) this.#send({ kind: "sample" });
  }
  async stepBatch(): Promise<void> {
    if (await this.#ready()) this.#playTo(this.step + 1);
  }
  async stepEpoch(): Promise<void> {
    if (!(await this.#ready())) return;
    const { stepsPerEpoch } = this.run!;
    this.#playTo((Math.floor(this.step / stepsPerEpoch) + 1) * stepsPerEpoch);
  }

  /** Back, or on again, to any step made so far. */
  seek(step: number): void {
    this.playing = false;
    this.diverged = null;
    this.#showAgain();
    this.#send({ kind: "seek", order: ++this.#order, step });
  }

  /** From the next step on. */
  setRate(rate: number): void {
    this.setup.rate = this.rate = rate;
    if (this.run) this.#send({ kind: "rate", rate });
  }

  /** Back from where it diverged, to try a tenth of the rate. */
  goBack(): void {
    const { back } = this.diverged!;
    this.setRate(Number((this.rate / 10).toPrecision(3)));
    this.seek(back);
  }

  // ---- The run

  #onPage({ sizes }: Architecture): StartValues {
    const { architecture, parameters } = this.#workspace.network;
    if (architecture.sizes.join() !== sizes.join())
      throw new Error(
        `The network on the page is ${architecture}, the run is to be ${sizes.join("-")}. Make the sizes equal, or start from random numbers.`,
      );
    return { parameters: parameters.slice() as Float32Array<ArrayBuffer> };
  }

  #begin(architecture: Architecture, from: StartValues, parts: Parts, settings: Settings): void {
    this.#line.open(parts);
    this.#number++;
    this.#edit = 0;
    const { sizes, activations: squishes } = architecture;
    const stepsPerEpoch = Math.ceil(parts.train.inputs.count / settings.batchSize);
    this.run = {
      name: `${parts.train.name}, run ${this.#number}`,
      parts,
      settings,
      architecture,
      stepsPerEpoch,
      network: null,
    };
    this.step = 0;
    this.rate = settings.rate;
    this.record = new RunRecord();
    this.diverged = this.preview = this.sample = null;
    this.#send({ kind: "start", run: this.#number, sizes, squishes, from, settings });
  }

  /** There is a run, or one has been begun. */
  async #begun(): Promise<boolean> {
    if (this.#starting) return this.#starting;
    return this.run !== null || this.start();
  }

  async #ready(): Promise<boolean> {
    const ready = await this.#begun();
    if (ready && !this.#takeEdits()) this.#showAgain();
    return ready;
  }

  #playTo(until: number): void {
    this.playing = true;
    this.diverged = this.sample = this.preview = null;
    const aFrame = { full: Infinity, phase: 1, step: 1, epoch: this.run!.stepsPerEpoch }[this.speed];
    this.#send({ kind: "play", order: ++this.#order, until, aFrame });
  }

  /** What was changed by hand on this run's network goes into the run; other squishes make a new run of its numbers. */
  #takeEdits(): boolean {
    const { network, edited } = this.#workspace;
    if (!this.run?.network || !this.shown || !edited || network === this.run.network) return false;
    const parameters = network.parameters.slice() as Float32Array<ArrayBuffer>;
    if (network.architecture.same(this.run.architecture)) {
      this.note = `Your change was taken into the run at step ${this.step.toLocaleString("en")}.`;
      this.record.fork(this.step);
      this.run.network = network;
      this.#workspace.follow(network);
      this.#send({ kind: "edit", edit: ++this.#edit, parameters });
    } else {
      const { parts, settings } = this.run;
      this.#begin(network.architecture, { parameters }, parts, { ...settings, rate: this.rate });
      this.note = "A squish was changed: a new run goes on from these numbers.";
    }
    return true;
  }

  /** The workspace may have been shown something else meanwhile. */
  #showAgain(): void {
    if (this.run?.network && !this.shown) this.#show(this.run.network);
  }

  #show(network: Network): void {
    const run = this.run!;
    const { name, parts } = run;
    const workspace = this.#workspace;
    const fits = workspace.data?.width === parts.test.width && workspace.data.name === parts.test.name;
    workspace.keepEdited();
    workspace.data = parts.test;
    workspace.show(network, name, fits ? workspace.input : exampleOf(parts.test, 0));
    if (!workspace.networks.some((each) => each.name === name))
      workspace.networks = [
        ...workspace.networks,
        { name, from: "yours", data: parts.test, load: async () => run.network! },
      ];
  }

  // ---- The worker

  #lost(message: string): void {
    this.run = null;
    this.playing = false;
    this.problem = `Training stopped: ${message || "its worker ended"}. The network stays as it was at step ${this.step}; start again.`;
  }

  #send(message: ToWorker): void {
    this.#line.send(message);
  }

  #hear(message: FromWorker): void {
    if (message.run !== this.#number || !this.run) return;
    switch (message.kind) {
      case "snapshot":
        return this.#follow(message);
      case "score":
        this.record.tested(message.score);
        return;
      case "preview":
        this.preview = message;
        return;
      case "sample":
        return this.#look(message);
      case "diverged":
        this.playing = false;
        this.diverged = { step: message.step, back: lastGood(this.record.bins) };
        return;
      case "problem":
        this.playing = false;
        this.problem = message.message;
        if (!this.run.network) this.run = null; // it never began
    }
  }

  #follow({ step, edit, parameters, losses, playing, order }: Snapshot): void {
    nextFrame(this.#frame);
    if (edit !== this.#edit) return;
    const first = this.run!.network === null;
    if (!first && !this.shown) return this.playing ? this.pause() : undefined;
    if (this.playing && this.#takeEdits()) return;
    const { architecture, parts } = this.run!;
    this.step = step;
    if (losses) {
      this.record.learnt(losses);
      this.diverged = null;
    }
    if (order === this.#order && this.speed !== "phase") this.playing = playing;
    if (playing) this.preview = null;
    else this.sample = null;
    this.run!.network = new Network(architecture, parameters, parts.train.schema);
    if (first) this.#show(this.run!.network);
    else this.#workspace.follow(this.run!.network);
  }

  readonly #frame = (): void => this.#send({ kind: "frame" });

  /** A phase of the walk through a step; while that plays, the next one is asked for after a while. */
  #look(sample: Sample): void {
    this.sample = sample;
    const { parts } = this.run!;
    if (sample.phase === "forward") this.#workspace.input = exampleOf(parts.train, sample.example);
    clearTimeout(this.#timer);
    if (this.playing && this.speed === "phase") this.#timer = setTimeout(() => this.#send({ kind: "sample" }), PHASE);
  }
}
