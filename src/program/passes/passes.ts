// The passes over a plan's ops, each a pure function of the list.

import type { Optimizer } from "../../plan/optimizer.ts";
import type { Plan, Precision } from "../../plan/plan.ts";
import { recomputedParts } from "../../plan/recomputed_parts.ts";
import type { Op } from "../op.ts";
import { hasBackward, type Scheduling } from "../schedule/scheduling.ts";
import { chunk } from "./chunk.ts";
import { chunkLogits } from "./chunk_logits.ts";
import { differentiate } from "./differentiate/differentiate.ts";
import { NotDifferentiable } from "./differentiate/not_differentiable.ts";
import { fuseNorms } from "./fuse_norms.ts";
import { fuseProducts, fuseResiduals } from "./fuse_products.ts";
import { recompute } from "./recompute.ts";
import { schedule, type SlotOps } from "./schedule.ts";
import { type DifferentiatedOps, synthesizeBackward } from "./synthesize_backward.ts";
import { unfuseAttention } from "./unfuse_attention.ts";
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
  const trained = optimizer && trainingSlots(ops, plan, scheduling, microBatches, optimizer);
  if (trained !== undefined) return trained;
  const fused = chunkLogits(fuseNorms(fuseProducts(ops)));
  const overlaps = plan.optimizations.includes("communication-overlap");
  const forward = overlaps ? chunk(fused) : fused;
  return schedule(
    asPlanned(differentiated(forward, plan, scheduling), plan),
    scheduling,
    microBatches,
  );
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

/** Attention as the plan has it, behind all passes that know it. */
function asPlanned(
  { forward, backward }: DifferentiatedOps,
  { workload }: Plan,
): DifferentiatedOps {
  return workload.attention === "unfused"
    ? { forward: unfuseAttention(forward), backward: unfuseAttention(backward) }
    : { forward, backward };
}

/** Undefined where something has no gradient, which `whyNotTrained` says: such a plan is counted and not run. */
function trainingSlots(
  ops: readonly Op[],
  plan: Plan,
  scheduling: Scheduling | undefined,
  microBatches: number,
  rules: Optimizer,
): SlotOps[] | undefined {
  try {
    const { once, ...whole } = trainingOps(ops, rules, plan.workload.dtype, sharesState(plan));
    const overlaps = plan.optimizations.includes("communication-overlap");
    const passes = overlaps
      ? { forward: chunk(whole.forward), backward: chunk(whole.backward) }
      : whole;
    const { forward } = passes;
    const backward =
      scheduling === undefined
        ? passes.backward
        : recompute(passes, recomputedParts(plan), scheduling.places);
    const ofBatches = schedule(asPlanned({ forward, backward }, plan), scheduling, microBatches);
    return [...ofBatches, { microBatch: microBatches - 1, ops: once }];
  } catch (error) {
    if (error instanceof NotDifferentiable) return undefined;
    throw error;
  }
}

/**
 * Products keep what activations are made of, which their gradients need.
 *
 * @param isSharded as of `update`
 * @throws NotDifferentiable where something has no gradient
 */
export function trainingOps(
  ops: readonly Op[],
  rules: Optimizer,
  dtype: Precision,
  isSharded = false,
) {
  const forward = fuseNorms(fuseResiduals(ops, true));
  const { backward, uses } = differentiate(forward);
  return { forward, backward, once: update(uses, { rules, dtype, isSharded }) };
}

/** Of ZeRO, each stage does what the one before it does. One group of data ranks shares; see `fieldsNotRun`. */
function sharesState({ degrees }: Plan): boolean {
  return (degrees?.zero ?? 0) >= 1 && degrees?.dataShard === undefined;
}
