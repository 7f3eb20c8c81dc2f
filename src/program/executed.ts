// The part of a plan that runs. Where something needs whole sequences, further ranks that would share them have nothing to do.

import { whyContextNotRun } from "../plan/context.ts";
import type { Groups } from "../plan/groups.ts";
import type { Plan } from "../plan/plan.ts";

/** The plan, or where ranks cannot share sequences the plan with every sequence whole on the first of its context ranks. */
export function executedPart(plan: Plan): Plan {
  const { degrees } = plan;
  if (degrees === undefined || whyContextNotRun(plan) === undefined) return plan;
  const { context = 1, ...rest } = degrees;
  const known = new Map<Groups, Groups>();
  const firstOfEach = (groups: Groups): Groups => {
    const own = known.get(groups) ?? groups.filter((_, i) => i % context === 0);
    known.set(groups, own);
    return own;
  };
  return {
    ...plan,
    degrees: rest,
    stages: plan.stages.map((stage) => ({
      ...stage,
      layers: stage.layers.map((layer) => ({ ...layer, groups: firstOfEach(layer.groups) })),
    })),
  };
}
