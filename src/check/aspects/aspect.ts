// One line of an assessment: a quality that a plan is said to have, and whether it has it.

import type { Verdict } from "../../claims/verdict.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import type { CommunicationCost } from "../../program/communication_cost.ts";
import type { Described } from "../../program/describe_plan.ts";

/** By the plan and its program; what only a run or the plan's source could tell is not decidable. */
export type AspectJudgement = "held" | "contradicted" | "not decidable";

export interface Aspect {
  readonly title: string;
  readonly judgement: AspectJudgement;
  /** A sentence without a full stop, with the figures and the limit that they are held against. */
  readonly why: string;
  /** Assumed values of the plan that the judgement leans on. */
  readonly leansOn: readonly string[];
  /** Rules behind it. */
  readonly codes: readonly string[];
  /** What it consists of, where that has judgements of its own. */
  readonly parts?: readonly Aspect[];
}

/** What qualities are judged by. */
export interface Assessed {
  readonly described: Described;
  readonly diagnostics: readonly Diagnostic[];
  /** On the plan's claims, without a run. */
  readonly verdicts: readonly Verdict[];
  readonly communication: readonly CommunicationCost[];
}

/** None where the quality has no meaning for the plan. */
export type Assess = (assessed: Assessed) => Aspect[];

/** Of several judgements the worst; undecided is worse than held. */
export function worstOf(judgements: readonly AspectJudgement[]): AspectJudgement {
  return (
    judgements.find((each) => each === "contradicted") ??
    judgements.find((each) => each === "not decidable") ??
    "held"
  );
}
