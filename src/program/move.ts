// A share of a value on its way to other ranks.

import type { Builder } from "./builder.ts";
import type { Origin } from "./program.ts";

/** What a move needs to know beside the share. */
export interface Move {
  readonly builder: Builder;
  readonly origin: Origin;
  readonly name: string;
  readonly columns: number;
  readonly to: readonly number[];
}
