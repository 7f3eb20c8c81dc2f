// Two claims that must follow from each other, read as figures of one run, whatever the machine.

import { assumedAmong } from "../../plan/assumed.ts";
import { claimed, fromPlan, ratioOf, type Case } from "../case.ts";
import type { Judgement, Need, Verdict } from "../verdict.ts";
import { percent, someOf } from "../words.ts";

export type Relation = (given: Case) => Verdict | undefined;

interface Agreement {
  readonly claim: string;
  readonly label: string;
  readonly promised: number;
  readonly follows: number;
  readonly unit: Parameters<typeof claimed>[1];
  readonly formula: string;
  readonly tolerance: number;
  /** Relative, by which what is promised and what it follows from may have been rounded. */
  readonly rounding: number;
  /** Whether what follows is near enough; default: by no more of what is promised. */
  readonly agreesWithin?: (tolerance: number) => boolean;
  /** They agree, but not by the claim's own definition. */
  readonly isByOtherDefinition?: boolean;
  readonly paths: readonly string[];
  readonly unsaid?: readonly string[];
  /** What must hold where the values that it leans on are assumed. */
  readonly needs: readonly Need[];
}

/** Leaning on assumed values, two claims neither agree nor contradict each other: they fix the values. */
export function verdictOf({ plan }: Case, given: Agreement): Verdict {
  const { promised, follows, tolerance, rounding, formula, unsaid = [] } = given;
  const {
    agreesWithin = (within: number) => Math.abs(follows - promised) <= within * Math.abs(promised),
  } = given;
  const agrees = agreesWithin(tolerance);
  const isRounded = !agrees && agreesWithin(Math.max(tolerance, rounding));
  const leansOn = assumedAmong(plan, given.paths);
  const isFirm = leansOn.length === 0 && unsaid.length === 0;
  const { isByOtherDefinition = false } = given;
  const isOpen = isRounded || (agrees && isByOtherDefinition);
  const decided = isOpen ? "ambiguous" : agrees ? "confirmed" : "refuted";
  const judgement: Judgement = isFirm ? decided : "untestable";
  const how = agrees
    ? `the claims agree${isByOtherDefinition ? " by another definition" : ""}`
    : isRounded
      ? "the claims differ by no more than their digits leave open"
      : "as figures of one run the claims contradict each other";
  const found = fromPlan(follows, given.unit);
  const promisedFigure = claimed(promised, given.unit);
  const leaning = isFirm ? "" : `, which leans on ${someOf([...leansOn, ...unsaid])}`;
  return {
    claim: given.claim,
    label: given.label,
    claimed: promisedFigure,
    found,
    ...ratioOf(found, promisedFigure),
    judgement,
    reason: `${how}: ${formula}, tolerance ${percent(tolerance)}${leaning}`,
    provenance: "estimated",
    tolerance,
    leansOn,
    needs: judgement === "untestable" || judgement === "ambiguous" ? given.needs : [],
  };
}
