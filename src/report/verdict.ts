// What became of one claim.

import type { Figure, Provenance } from "../measure/figure.ts";

/**
 * - `ambiguous`: the interval straddles the claim
 * - `untestable`: nothing here can decide it; the reason says why
 */
export type Judgement = "confirmed" | "refuted" | "ambiguous" | "untestable";

export interface Verdict {
  /** The key in the plan's `claims`, or the name of a relation between several of them. */
  readonly claim: string;
  /** What is claimed, in words. */
  readonly label: string;
  readonly claimed: Figure;
  /** What was found, whatever its provenance; absent when nothing was. */
  readonly found?: Figure;
  /** Found ÷ claimed. */
  readonly ratio?: number;
  readonly judgement: Judgement;
  readonly reason: string;
  /** Of what decided, or would decide, the claim. */
  readonly provenance: Provenance;
}
