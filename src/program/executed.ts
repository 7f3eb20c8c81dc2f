// The part of a plan that runs: without context parallelism, whose further ranks have nothing to do.

import { contextOf } from "../plan/mesh.ts";
import type { Groups } from "../plan/groups.ts";
import type { Plan } from "../plan/plan.ts";

/** The plan with every sequence whole on the first of its context ranks; the same plan where there is one. */
export function executedPart(plan: Plan): Plan {
  const { degrees } = plan;
  if (degrees === undefined || contextOf(degrees) === 1) return plan;
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
