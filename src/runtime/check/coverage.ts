// What came of checking one instruction.

import type { Deviation } from "../../reference/deviation.ts";

/** What is counted of a kind. */
export type Unit = "rows" | "elements" | "bytes" | "pairs of a row and a head" | "results";

export interface Coverage {
  readonly unit: Unit;
  /** Of what the instruction wrote, how much was made again and compared. */
  readonly checked: number;
  readonly total: number;
  readonly deviation: Deviation;
}
