// A plan that serves, as its scheduler sees it.

import { pagesOf } from "../../plan/serving.ts";
import type { Plan, ServingPhase } from "../../plan/plan.ts";
import { splitEvenly } from "../tensor.ts";
import { arrivalsOf } from "./arrivals.ts";
import { phasePlan, replicasOfCaches } from "./phase_plan.ts";
import type { SchedulerOptions } from "./scheduler.ts";

export function schedulerOptionsOf(plan: Plan): SchedulerOptions {
  const { serving, sequence, seed } = plan.workload;
  if (serving === undefined) throw new Error(`${plan.name} serves nobody`);
  const { requests, inputTokens, outputTokens, prefillChunk, scheduler } = serving;
  const { kind, maxBatchedTokens, requestsPerSecond } = scheduler;
  return {
    kind,
    inputTokens,
    outputTokens,
    prefillChunk,
    maxBatchedTokens,
    pageTokens: pagesOf(serving, sequence).pageTokens,
    arrivals: arrivalsOf(requests, requestsPerSecond, seed),
    decodeSlots: replicaOfSlots(plan, "decode"),
    prefillSlots: replicaOfSlots(plan, "prefill"),
  };
}

/** Micro-batch after micro-batch, in each the slots of one replica after the other. */
function replicaOfSlots(plan: Plan, phase: ServingPhase): number[] {
  const { batch, microBatches } = phasePlan(plan, phase).workload;
  const replicas = replicasOfCaches(plan);
  const ofOne = splitEvenly(batch / microBatches, replicas).flatMap((count, replica) =>
    Array.from({ length: count }, () => replica),
  );
  return Array.from({ length: microBatches }, () => ofOne).flat();
}
