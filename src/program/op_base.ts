// What every op says beside its operands.

import type { OpOrigin } from "./program.ts";

export interface OpBase {
  readonly origin: OpOrigin;
  /** The layer in whose place of the list it stands; its origin may be an earlier one. */
  readonly place: string;
  readonly ranks: readonly number[];
  /** Of blocks of rows that may be communicated beside each other. */
  readonly block?: RowBlock;
}

/** A layer's ops on some of its rows: `index` of all those of one name, which stand one after the other in the list. */
export interface RowBlock {
  readonly of: string;
  readonly index: number;
}
