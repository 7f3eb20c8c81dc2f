// Whether whole steps of a training plan can run: every op needs a rule for its gradient.

import type { Plan } from "../plan/plan.ts";
import { executedPart } from "./executed.ts";
import { NotDifferentiable } from "./passes/differentiate/not_differentiable.ts";
import { trainingOps } from "./passes/passes.ts";
import { planOps } from "./plan_ops.ts";

/** What has no gradient here; undefined where all has, or no optimizer asks for one. */
export function whyNotTrained(plan: Plan): string | undefined {
  const { optimizer, dtype } = plan.workload;
  if (optimizer === undefined) return undefined;
  try {
    trainingOps(planOps(executedPart(plan)).ops, optimizer, dtype);
    return undefined;
  } catch (error) {
    if (error instanceof NotDifferentiable) return error.message;
    throw error;
  }
}
