/** The model file that is looked into. Opening another that fails leaves it as it is. */

import type { ModelFile } from "../network/model_file.ts";

export class Shelf {
  file: ModelFile | null = $state.raw(null);
  /** The name of what is being opened. */
  opening: string | null = $state(null);
  problem: string | null = $state(null);

  async open(name: string, open: () => Promise<ModelFile>): Promise<void> {
    this.opening = name;
    this.problem = null;
    try {
      const file = await open();
      if (this.opening === name) this.file = file;
    } catch (problem) {
      if (this.opening === name) this.problem = (problem as Error).message;
    } finally {
      if (this.opening === name) this.opening = null;
    }
  }
}

export const shelf = new Shelf();
