/** The pen for who draws with the keyboard: arrows move it, space puts it down or lifts it, Delete clears; it says where
 * it is. */

import type { Input } from "../data/dataset.ts";
import type { Point } from "../draw/columns.ts";
import type { Sketch } from "./sketch.svelte.ts";

const STEPS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

const middleOf = ({ x, y }: Point): Point => ({ x: x + 0.5, y: y + 0.5 });

export class KeyboardPen {
  /** Where it is, in whole pixels, and whether it is down. */
  at: Point = $state.raw({ x: 0, y: 0 });
  down: boolean = $state(false);
  /** The keyboard was used last. */
  active: boolean = $state(false);
  said: string = $state("");

  readonly #sketch: Sketch;
  readonly #read: { readonly input: Input };
  readonly #width: number;
  readonly #height: number;

  constructor(sketch: Sketch, read: { readonly input: Input }, width: number, height: number) {
    this.#sketch = sketch;
    this.#read = read;
    this.#width = width;
    this.#height = height;
    this.at = { x: Math.floor(width / 2), y: Math.floor(height / 5) };
  }

  press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) this.#walk(step);
    else if (event.key === " " || event.key === "Enter") this.#put(!this.down);
    else if (event.key === "Delete" || event.key === "Backspace") this.#clear();
    else if (event.key === "Escape" && this.down) this.#put(false);
    else return;
    this.active = true;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Another hand draws, or nobody. */
  leave(): void {
    if (this.down) this.#put(false);
    this.active = false;
  }

  #walk({ x, y }: Point): void {
    const to = {
      x: Math.min(this.#width - 1, Math.max(0, this.at.x + x)),
      y: Math.min(this.#height - 1, Math.max(0, this.at.y + y)),
    };
    if (this.down) this.#sketch.stroke(middleOf(this.at), middleOf(to));
    this.at = to;
    const value = this.#read.input.values[to.y * this.#width + to.x];
    this.said = `row ${to.y}, column ${to.x}, ${this.down ? this.#sketch.tool : value > 0.5 ? "ink" : "paper"}`;
  }

  #put(down: boolean): void {
    this.down = down;
    this.said = `${this.#sketch.tool} ${down ? "down" : "up"}`;
    if (!down) return this.#sketch.rest();
    this.#sketch.hold();
    this.#sketch.stroke(middleOf(this.at), middleOf(this.at));
  }

  #clear(): void {
    this.#sketch.hold();
    this.#sketch.clear();
    this.said = "cleared";
  }
}
