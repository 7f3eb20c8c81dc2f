// What the check says of a plan's claims, and what the plan costs.

import { inspect } from "../../src/check/check_plan.ts";
import type { Verdict } from "../../src/claims/verdict.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan, type PlanEstimate } from "../../src/program/estimate.ts";

/** As its file reads, whether or not rules are broken. */
export function planFrom(written: unknown): Plan {
  const { plan, diagnostics } = parsePlan(JSON.stringify(written), "plan.json");
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

export function estimateOf(written: unknown): PlanEstimate {
  return estimatePlan(planFrom(written));
}

/** On the claim, or on the relation of that name. */
export function verdictOf(written: unknown, claim: string): Verdict | undefined {
  return inspect(planFrom(written)).verdicts?.find((each) => each.claim === claim);
}

export function judgementOf(written: unknown, claim: string): string | undefined {
  return verdictOf(written, claim)?.judgement;
}
