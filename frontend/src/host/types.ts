/** Where the page gets what it shows: from the server it was opened by, or from inside its own file. */

import type { Dataset } from "../data/dataset.ts";
import type { Table } from "../data/table.ts";
import type { ModelFile } from "../network/model_file.ts";
import type { Network } from "../network/network.ts";

export interface NamedNetwork {
  readonly name: string;
  readonly from: "example" | "opened" | "yours";
  /** The examples that were at hand where it was made, if that was on the page. */
  readonly data?: Dataset | null;
  load(): Promise<Network>;
}

export interface Start {
  readonly version: string;
  readonly networks: readonly NamedNetwork[];
  readonly files: readonly { name: string; open(): Promise<ModelFile> }[];
  /** The part of a link after #, which a single file may carry. */
  readonly state: string | null;
  /** A sample of a table that a single file may carry. */
  readonly table: Dataset | null;
}

/** All failures are `Error`s whose message can be shown as it is. */
export interface Host {
  readonly offline: boolean;
  start(): Promise<Start>;
  /** null where there are none (a single file brings a sample of the test digits at most). */
  digits(part: "train" | "test"): Promise<Dataset | null>;
  /** A file dropped on the page: the server reads any format, the single file only what `openNetworkFile` accepts. */
  open(file: File): Promise<ModelFile>;
  /** A table to train on: the server reads all that `glassnet train` reads, the single file CSV. */
  table(file: File): Promise<Table>;
  /** The single file without its payload. */
  template(): Promise<string>;
}
