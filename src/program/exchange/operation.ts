// What each collective says of itself, one file per operation; the table is `operations.ts`.

import type { Collective } from "../program.ts";
import type { Exchange } from "./chunks.ts";
import type { Lists, Membership, WireBytes } from "./traffic.ts";

export interface Operation<Of extends Collective> {
  /** What a rank exchanges with others. */
  wire(collective: Of, member: Membership, lists: Lists): WireBytes;
}

/** One whose sizes the program knows. */
export interface SizedOperation<Of extends Collective> extends Operation<Of> {
  /** The pieces that members of `from` send to members of `to`; of a sum, where there is one summand. */
  exchange(collective: Of): Exchange;
}
