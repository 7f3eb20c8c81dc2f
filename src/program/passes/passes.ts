// The passes over a plan's ops, each a pure function of the list.

import type { Optimizer } from "../../plan/optimizer.ts";
import type { Plan } from "../../plan/plan.ts";
import { recomputedParts } from "../../plan/recomputed_parts.ts";
import type { Op } from "../op.ts";
import { hasBackward, type Scheduling } from "../schedule/scheduling.ts";
import { chunk } from "./chunk.ts";
import { chunkLogits } from "./chunk_logits.ts";
import { differentiate } from "./differentiate/differentiate.ts";
import { fuseNorms } from "./fuse_norms.ts";
import { fuseProducts, fuseResiduals } from "./fuse_products.ts";
import { recompute } from "./recompute.ts";
import { schedule, type SlotOps } from "./schedule.ts";
import { type DifferentiatedOps, synthesizeBackward } from "./synthesize_backward.ts";
import { update } from "./update.ts";

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
  const { optimizer } = plan.workload;
  if (optimizer !== undefined) {
    return trainingSlots(ops, plan, scheduling, microBatches, optimizer);
  }
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
  const backward = synthesizeBackward(forward, places, plan.stages.length);
  return { forward, backward: recompute({ forward, backward }, recomputedParts(plan), places) };
}

/** Products keep what activations are made of, which their gradients need. */
function trainingSlots(
  ops: readonly Op[],
  plan: Plan,
  scheduling: Scheduling | undefined,
  microBatches: number,
  rules: Optimizer,
): SlotOps[] {
  const forward = fuseNorms(fuseResiduals(ops));
  const { backward, uses } = differentiate(forward);
  const ofBatches = schedule({ forward, backward }, scheduling, microBatches);
  const once = update(uses, { rules, dtype: plan.workload.dtype });
  return [...ofBatches, { microBatch: microBatches - 1, ops: once }];
}
