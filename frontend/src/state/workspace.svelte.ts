/** What the page looks at: a network, an input, the trace they make, and where one is looking. Views read it and ask it to
 * change; it knows no view. */

import type { Dataset, Input } from "../data/dataset.ts";
import type { NamedNetwork } from "../host/types.ts";
import { sameAddress, type Address, type Network } from "../network/network.ts";
import { Tracer, type Trace } from "../network/trace.ts";
import { Comparison } from "./comparison.svelte.ts";
import { NO_EDITS, redone, settled, undone, withEdit, type Edits } from "./edits.ts";
import { Examiner } from "./evaluation.svelte.ts";
import { lesson } from "./lesson.svelte.ts";

/** One step of training, told of every parameter. */
export interface Step {
  /** The slopes of the loss. */
  readonly gradient: Float32Array;
  /** By how much each is moved; null before the batch is done. */
  readonly move: Float32Array | null;
}

export class Workspace {
  readonly kernel: WebAssembly.Module;
  readonly #tracer: Tracer;

  /** All networks that can be chosen; those made on the page are added. */
  networks: readonly NamedNetwork[] = $state.raw([]);
  name: string = $state("");
  /** As loaded or trained, before any edit. */
  original: Network = $state.raw()!;
  /** As it is now, edits included. */
  network: Network = $state.raw()!;
  edits: Edits = $state.raw(NO_EDITS);

  input: Input = $state.raw()!;
  /** What accuracy is told of, and where examples are picked from. */
  data: Dataset | null = $state.raw(null);

  /** The network follows a run that goes on: nothing slow is to be asked about each of its states. */
  moving: boolean = $state(false);

  /** What a step does to this network, while one is looked at. */
  step: Step | null = $state.raw(null);

  /** The ids of all views; the first is what one comes back to. */
  views: readonly string[] = ["look"];
  view: string = $state("look");
  /** The neuron whose card is open. */
  focus: Address | null = $state.raw(null);
  /** The neuron under the pointer. */
  hover: Address | null = $state.raw(null);
  /** The input under the pointer: a pixel, a column. */
  hoverInput: number | null = $state(null);
  /** The layer whose parameters are pointed at in the ledger. */
  lit: number | null = $state(null);
  /** Lines that say what went wrong, where the page as a whole must say it. */
  notice: string | null = $state(null);

  readonly trace: Trace = $derived.by(() =>
    this.#tracer.trace(lesson.hides("names") ? this.network.nameless : this.network, this.input.values),
  );
  readonly edited: boolean = $derived(this.network !== this.original);
  /** Accuracy on `data`, now and before the edits; which examples are wrong. */
  readonly examiner: Examiner;
  /** The two networks that are compared. */
  readonly comparison: Comparison;

  constructor(kernel: WebAssembly.Module, network: Network, name: string, input: Input) {
    this.kernel = kernel;
    this.#tracer = new Tracer(kernel);
    this.name = name;
    this.original = this.network = network;
    this.input = input;
    this.examiner = new Examiner(this);
    this.comparison = new Comparison(this);
  }

  /** Look at another network. Edits begin anew; an input of another width becomes `input`, or zeros. */
  show(network: Network, name: string, input?: Input): void {
    const width = network.architecture.sizes[0];
    if (input) this.input = input;
    else if (this.input.values.length !== width) this.input = { values: new Float32Array(width), from: "all zero" };
    this.original = this.network = network;
    this.name = name;
    this.edits = NO_EDITS;
    this.step = null;
    const places = network.architecture.places;
    if (this.focus && this.focus.neuron >= (places[this.focus.layer]?.fanOut ?? 0)) this.focus = null;
    this.hover = this.hoverInput = null;
  }

  /** The same network further on in its training: no change by hand, so nothing to undo. */
  follow(network: Network): void {
    this.original = this.network = network;
    this.edits = NO_EDITS;
  }

  /** One more network to choose from; a name that is taken is given a number. One's own keeps the examples it has. */
  add(name: string, network: Network, from: NamedNetwork["from"] = "yours"): NamedNetwork {
    const taken = (name: string): boolean => this.networks.some((each) => each.name === name);
    let free = name;
    for (let i = 2; taken(free); i++) free = `${name} ${i}`;
    const data = from === "yours" ? this.data : null;
    const added: NamedNetwork = { name: free, from, data, load: async () => network };
    this.networks = [...this.networks, added];
    return added;
  }

  /** Before another network is shown: an edited one stays among those to choose from. */
  keepEdited(): void {
    if (this.edited) this.add(`${this.name}, edited`, this.network);
  }

  /** A change by hand. The same key while a knob is dragged makes one step of it; `settle` ends it. */
  change(network: Network, what: string, key: string | null = null): void {
    this.edits = withEdit(this.edits, { what, key, before: this.network, after: network });
    this.network = network;
  }
  settle(): void {
    this.edits = settled(this.edits);
  }
  undo(): void {
    const last = this.edits.done.at(-1);
    if (!last) return;
    this.edits = undone(this.edits);
    this.network = last.before;
  }
  redo(): void {
    const next = this.edits.undone[0];
    if (!next) return;
    this.edits = redone(this.edits);
    this.network = next.after;
  }
  reset(): void {
    if (this.edited) this.change(this.original, "everything as it was");
  }

  /** Keep the network as it is now among those that can be chosen; gives the name that it is kept by. */
  keep(name: string): string {
    return this.add(name, this.network).name;
  }

  /** Open a neuron's card, or close it. */
  look(address: Address | null): void {
    if (!sameAddress(this.focus, address)) this.focus = address;
  }
}
