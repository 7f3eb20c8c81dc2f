// A claim on the bytes of keys and values: the plan's own requests and model decide it.

import type { Plan } from "../plan/plan.ts";
import { claimedBy, fromPlan, ratioOf, type Case } from "./case.ts";
import { memoryAssumptions, memoryObstacles } from "./obstacles.ts";
import type { ClaimDefinition } from "./table.ts";
import type { Judgement, Verdict } from "./verdict.ts";
import { percent, quantity } from "./words.ts";

export function judgeCache(given: Case, claim: ClaimDefinition, value: number): Verdict {
  const { plan, estimate } = given;
  const bytes = estimate.memory.reduce((sum, { keyValueCache }) => sum + keyValueCache, 0);
  const leansOn = memoryAssumptions(plan);
  const found = fromPlan(bytes, "B");
  const claimed = claimedBy(claim, value);
  return {
    ...claimed,
    provenance: "estimated",
    leansOn,
    found,
    ...ratioOf(found, claimed.claimed),
    ...decide(given, claim, value, bytes),
    needs: [],
  };
}

function decide(
  { plan }: Case,
  { tolerance }: ClaimDefinition,
  value: number,
  bytes: number,
): { readonly judgement: Judgement; readonly reason: string } {
  const gives = `the plan's requests have ${quantity(bytes, "B")} of keys and values`;
  const obstacles = memoryObstacles(plan);
  if (obstacles.length > 0) {
    return { judgement: "untestable", reason: `${gives}; ${obstacles.join("; ")}` };
  }
  if (Math.abs(bytes - value) <= tolerance * value) {
    return { judgement: "confirmed", reason: `${gives}, tolerance ${percent(tolerance)}` };
  }
  if (value > bytes) {
    return {
      judgement: "untestable",
      reason: `${gives}; an engine may reserve more than these need`,
    };
  }
  return hasStates(plan)
    ? {
        judgement: "untestable",
        reason: `${gives}, with states of linear attention in f32, which a claim may leave out or have in fewer bits`,
      }
    : { judgement: "refuted", reason: `${gives}, tolerance ${percent(tolerance)}` };
}

function hasStates({ stages }: Plan): boolean {
  return stages.some(({ layers }) => layers.some(({ op }) => op === "gated-delta"));
}
