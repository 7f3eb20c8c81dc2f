// All that a description of a plan shows, gathered.

import { loadPerGpu } from "../program/load_per_gpu.ts";
import type { Plan } from "../plan/plan.ts";
import { describeStages } from "../program/describe.ts";
import { estimatePlan } from "../program/estimate.ts";
import type { Described } from "./terminal_describe.ts";

/** @param plan as for `lower` */
export const describePlan = (plan: Plan): Described => {
  const estimate = estimatePlan(plan);
  return {
    plan,
    load: loadPerGpu(plan, estimate),
    stages: describeStages(plan, estimate.collectives),
    estimate,
  };
};
