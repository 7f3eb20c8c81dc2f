// Serving as two kinds of steps on the same weights and caches: prefill takes tokens of a few requests into the caches,
// decode one token of each running request. Each is a plan of its own to all that lowers, counts and describes.

import type { Plan, ServingPhase } from "../../plan/plan.ts";

/** Decode comes first: a decode step is what figures of a step are about. */
export const servingPhases: readonly ServingPhase[] = ["decode", "prefill"];

/** As programs have them, in which what two phases share has its place by all of both. */
export function inPhaseOrder<Part extends { readonly plan: Plan }>(parts: readonly Part[]): Part[] {
  const placeOf = ({ plan: { workload } }: Part): number =>
    workload.phase === undefined ? 0 : servingPhases.indexOf(workload.phase.name);
  return parts.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** @param plan that serves, as it was written */
export function phasePlan(plan: Plan, name: ServingPhase): Plan {
  const { workload } = plan;
  const { serving, batch, microBatches } = workload;
  if (serving === undefined) throw new Error(`${plan.name} serves nobody`);
  const phase = { name, slots: batch, slotParts: microBatches };
  if (name === "decode") return { ...plan, workload: { ...workload, sequence: 1, phase } };
  const { requests, parts } = prefillShape(plan);
  return {
    ...plan,
    workload: {
      ...workload,
      batch: requests,
      microBatches: greatestCommonDivisor(parts, microBatches),
      sequence: serving.prefillChunk,
      phase,
    },
  };
}

/** The plan of one step: of serving a decode step. */
export function stepPlan(plan: Plan): Plan {
  return plan.workload.mode === "serving" && plan.workload.phase === undefined
    ? phasePlan(plan, "decode")
    : plan;
}

/** The whole sequences of so many of a plan's requests, as a plan without caches: what steps of serving must agree with. */
export function sequencePlan(plan: Plan, requests: number): Plan {
  const { phase: _, ...workload } = plan.workload;
  return {
    ...plan,
    workload: { ...workload, mode: "inference", batch: requests, microBatches: 1 },
  };
}

/** Requests of a prefill step, as many of each replica as the budget of tokens allows; and how many that is. */
function prefillShape(plan: Plan): { readonly requests: number; readonly parts: number } {
  const { serving, batch } = plan.workload;
  const replicas = replicasOfCaches(plan);
  const chunk = serving?.prefillChunk ?? 1;
  const budget = serving?.scheduler.maxBatchedTokens ?? chunk;
  const parts = Math.max(
    1,
    Math.min(Math.floor(budget / (chunk * replicas)), Math.ceil(batch / replicas)),
  );
  return { requests: parts * replicas, parts };
}

/** Groups of ranks that hold caches of requests of their own. */
export function replicasOfCaches(plan: Plan): number {
  return plan.stages
    .flatMap(({ layers }) => layers)
    .reduce(
      (most, { op, groups }) => (op === "attention" ? Math.max(most, groups.length) : most),
      1,
    );
}

function greatestCommonDivisor(a: number, b: number): number {
  let [large, small] = [a, b];
  while (small > 0) [large, small] = [small, large % small];
  return large;
}
