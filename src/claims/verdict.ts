// What became of one claim.

import type { Figure, Provenance } from "../measure/figure.ts";

/**
 * - `projected`: found from a run of something else, such as a scaled plan or ranks one by one, which decides nothing
 * - `ambiguous`: what was found does not tell: the interval straddles the claim
 * - `untestable`: nothing here can decide it; the reason says why, and `needs` what would have to be true
 */
export type Judgement = "confirmed" | "refuted" | "projected" | "ambiguous" | "untestable";

/** A necessary condition of a claim, solved for something that is not known or only assumed. */
export interface Need {
  /** A path of the plan such as `workload.microBatches`, or a quantity in words. */
  readonly what: string;
  readonly relation: "at least" | "at most" | "exactly";
  readonly value: number;
  /** Such as `FLOP/s`, `B`, `samples`; empty for a pure number. */
  readonly unit: string;
  /** The formula that it comes from, with the numbers that went in. */
  readonly because: string;
  /** Why nothing can meet it; absent where something can. */
  readonly absurd?: string;
}

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
  /** Relative: what differs by less counts as equal. */
  readonly tolerance: number;
  /** Assumed values of the plan that the verdict, or what was found, leans on. */
  readonly leansOn: readonly string[];
  readonly needs: readonly Need[];
}

/** Measured, projected, or estimated: a bound that holds for any run, or the plan's own split. */
export function decidedBy({ judgement, provenance }: Verdict): Provenance | undefined {
  return judgement === "untestable" ? undefined : provenance;
}

/** Whether it says more than that nothing here can tell. */
export function isDecidedOrConditional({ judgement, needs }: Verdict): boolean {
  return judgement === "confirmed" || judgement === "refuted" || needs.length > 0;
}
