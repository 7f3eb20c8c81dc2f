// A plan that can be counted and drawn: it may be one that no machine here can run.

import type { Plan } from "../plan/plan.ts";
import { BadPlan, inspectPlan, type Inspected } from "./bad_plan.ts";

export interface CountedPlan extends Inspected {
  readonly plan: Plan;
}

/** Throws `BadPlan` where the plan has no meaning: what its GPUs hold or do is contradictory. */
export async function countedPlan(file: string): Promise<CountedPlan> {
  const [inspected, { isCountable }] = await Promise.all([
    inspectPlan(file),
    import("../program/countable.ts"),
  ]);
  const { plan, diagnostics } = inspected;
  if (plan === undefined || !isCountable(diagnostics)) throw new BadPlan(inspected);
  return { ...inspected, plan };
}
