// The passes over a plan's ops, each a pure function of the list.

import type { Plan } from "../../plan/plan.ts";
import type { Op } from "../op.ts";
import { hasBackward, type Scheduling } from "../schedule/scheduling.ts";
import { chunk } from "./chunk.ts";
import { differentiate } from "./differentiate.ts";
import { fuseNorms } from "./fuse_norms.ts";
import { fuseProducts } from "./fuse_products.ts";

export interface PassedOps {
  readonly forward: readonly Op[];
  /** Empty where the schedule has no backward slots. */
  readonly backward: readonly Op[];
}

export function runPasses(
  ops: readonly Op[],
  plan: Plan,
  scheduling: Scheduling | undefined,
): PassedOps {
  const fused = fuseNorms(fuseProducts(ops));
  const overlaps = plan.optimizations.includes("communication-overlap");
  const forward = overlaps ? chunk(fused) : fused;
  return {
    forward,
    backward: hasBackward(scheduling)
      ? differentiate(forward, scheduling.places, plan.stages.length)
      : [],
  };
}
