// What every op says beside its operands.

import type { OpOrigin } from "./program.ts";

export interface OpBase {
  readonly origin: OpOrigin;
  /** The layer in whose place of the list it stands; its origin may be an earlier one. */
  readonly place: string;
  readonly ranks: readonly number[];
}
