// The passes over a plan's ops, each a pure function of the list.

import type { Plan } from "../../plan/plan.ts";
import { recomputedParts } from "../../plan/recomputed_parts.ts";
import type { Op } from "../op.ts";
import { hasBackward, type Scheduling } from "../schedule/scheduling.ts";
import { chunk } from "./chunk.ts";
import { chunkLogits } from "./chunk_logits.ts";
import { differentiate, type DifferentiatedOps } from "./differentiate.ts";
import { fuseNorms } from "./fuse_norms.ts";
import { fuseProducts } from "./fuse_products.ts";
import { recompute } from "./recompute.ts";
import { schedule, type SlotOps } from "./schedule.ts";

/**
 * The ops of a step, in the order in which they are emitted.
 *
 * @param microBatches of the step, or fewer: all are alike
 */
export function runPasses(
  ops: readonly Op[],
  plan: Plan,
  scheduling: Scheduling | undefined,
  microBatches: number,
): SlotOps[] {
  const fused = chunkLogits(fuseNorms(fuseProducts(ops)));
  const overlaps = plan.optimizations.includes("communication-overlap");
  const forward = overlaps ? chunk(fused) : fused;
  return schedule(differentiated(forward, plan, scheduling), scheduling, microBatches);
}

function differentiated(
  forward: readonly Op[],
  plan: Plan,
  scheduling: Scheduling | undefined,
): DifferentiatedOps {
  if (!hasBackward(scheduling)) return { forward, backward: [] };
  const { places } = scheduling;
  const backward = differentiate(forward, places, plan.stages.length);
  return { forward, backward: recompute({ forward, backward }, recomputedParts(plan), places) };
}
