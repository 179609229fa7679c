/** What is drawn by hand. The picture on the pad is the one that the network reads, so a stroke changes the input itself;
 * once the pen rests, a digit may be brought to MNIST's form, seen and read alike. */

import type { Input } from "../data/dataset.ts";
import { greyOf, valuesOf } from "../data/grey.ts";
import { fitted, SIDE, type Fitted } from "../data/fitting.ts";
import { stroke, type Tool } from "../draw/pen.ts";
import type { Point } from "../draw/columns.ts";

/** What is drawn on: the workspace. */
interface Drawn {
  readonly kernel: WebAssembly.Module;
  input: Input;
  readonly network: { readonly schema: { readonly scale?: number } };
}

export const DRAWN = "drawn";
const PEN_RESTS = 700; // ms

export class Sketch {
  tool: Tool = $state("pen");
  /** Whether a drawing is brought to MNIST's form when the pen rests. */
  fits: boolean = $state(true);
  /** Something was drawn since the page was opened. */
  begun: boolean = $state(false);

  readonly #drawn: Drawn;
  readonly #width: number;
  readonly #height: number;
  /** Told where the drawing went when it was fitted. */
  readonly #moved: (fitted: Fitted) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(drawn: Drawn, width: number, height: number, moved: (fitted: Fitted) => void) {
    this.#drawn = drawn;
    this.#width = width;
    this.#height = height;
    this.#moved = moved;
  }

  /** A stroke of the pen begins a drawing of its own; the rubber takes from whatever is there. */
  stroke(from: Point, to: Point, tool: Tool = this.tool): void {
    const { input } = this.#drawn;
    const grey =
      input.from === DRAWN || tool === "rubber" ? greyOf(input.values) : new Uint8Array(this.#width * this.#height);
    stroke({ width: this.#width, height: this.#height, grey }, from, to, tool);
    this.#show(grey);
    this.begun = true;
  }

  clear(): void {
    this.#show(new Uint8Array(this.#width * this.#height));
  }

  /** The pen was lifted. */
  rest(): void {
    this.hold();
    if (this.fits && this.canFit) this.#timer = setTimeout(() => this.fit(), PEN_RESTS);
  }

  /** Not yet: the pen is down again, or something else is looked at. */
  hold(): void {
    clearTimeout(this.#timer);
  }

  get canFit(): boolean {
    return this.#width === SIDE && this.#height === SIDE;
  }

  /** Brings what is drawn to MNIST's form. */
  fit(): void {
    if (this.#drawn.input.from !== DRAWN) return;
    const [grey, width, height] = [greyOf(this.#drawn.input.values), this.#width, this.#height];
    const found = fitted(this.#drawn.kernel, { width, height, grey });
    if (!found || found.grey.every((value, i) => value === grey[i])) return;
    this.#show(found.grey);
    this.#moved(found);
  }

  #show(grey: Uint8Array): void {
    this.#drawn.input = { values: valuesOf(grey, this.#drawn.network.schema.scale), from: DRAWN };
  }
}
