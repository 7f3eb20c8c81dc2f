// What came of checking one instruction.

import type { Deviation } from "../../reference/deviation.ts";

/** What is counted of a kind. */
export type CheckedUnit = "rows" | "elements" | "bytes" | "pairs of a row and a head" | "results";

export interface Coverage {
  readonly unit: CheckedUnit;
  /** Of what the instruction wrote, how much was made again and compared. */
  readonly checked: number;
  readonly total: number;
  readonly deviation: Deviation;
}
