// About how many steps a round over all requests takes.

import type { Plan, ServingPhase } from "../../plan/plan.ts";
import { phasePlan } from "./phase_plan.ts";

/** @param plan that serves, as it was written */
export function stepsOfRound(plan: Plan): Readonly<Record<ServingPhase, number>> {
  const { serving, batch } = plan.workload;
  if (serving === undefined) throw new Error(`${plan.name} serves nobody`);
  const { requests, inputTokens, outputTokens, prefillChunk } = serving;
  const together = phasePlan(plan, "prefill").workload.batch;
  return {
    prefill: Math.ceil((requests * Math.ceil(inputTokens / prefillChunk)) / together),
    decode: Math.ceil(requests / batch) * (outputTokens - 1),
  };
}
