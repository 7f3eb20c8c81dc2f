// All that a description of a plan shows, gathered.

import { loadPerGpu, type GpuLoad } from "./load_per_gpu.ts";
import type { Plan } from "../plan/plan.ts";
import { describeStages, type StageDescription } from "./describe.ts";
import { estimatePlan, type PlanEstimate } from "./estimate.ts";

export interface Described {
  readonly plan: Plan;
  readonly load: readonly GpuLoad[];
  readonly stages: readonly StageDescription[];
  readonly estimate: PlanEstimate;
}

/** @param plan as for `lower` */
export function describePlan(plan: Plan): Described {
  const estimate = estimatePlan(plan);
  return {
    plan,
    load: loadPerGpu(plan, estimate),
    stages: describeStages(plan, estimate.collectives),
    estimate,
  };
}
