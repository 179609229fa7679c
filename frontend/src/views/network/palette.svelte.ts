/** Colours in markup follow light and dark as canvases do. */

import { colours, css, onColours, type Rgb } from "../../draw/colours.ts";

class Palette {
  #turn = $state(0);

  constructor() {
    onColours(() => this.#turn++);
  }
  /** A colour worked out from the present ones, worked out again when they change. */
  use(make: () => Rgb): string {
    void this.#turn;
    return css(make());
  }
  get paper(): string {
    return this.use(() => colours().paper);
  }
}

export const palette = new Palette();
