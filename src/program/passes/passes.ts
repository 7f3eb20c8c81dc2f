// The passes over a plan's ops, each a pure function of the list.

import type { Optimizer } from "../../plan/optimizer.ts";
import { stateCopies } from "../../plan/mesh.ts";
import type { Plan, Precision } from "../../plan/plan.ts";
import { recomputedParts } from "../../plan/recomputed_parts.ts";
import type { Op } from "../op.ts";
import { hasBackward, type Scheduling } from "../schedule/scheduling.ts";
import { commonBinding } from "../tile.ts";
import { chunk } from "./chunk.ts";
import { chunkLogits } from "./chunk_logits.ts";
import { differentiate } from "./differentiate/differentiate.ts";
import { NotDifferentiable } from "./differentiate/not_differentiable.ts";
import { fuseNorms } from "./fuse_norms.ts";
import { fuseProducts, fuseResiduals } from "./fuse_products.ts";
import { recompute } from "./recompute.ts";
import { schedule, type SlotOps } from "./schedule.ts";
import { type DifferentiatedOps, synthesizeBackward } from "./synthesize_backward.ts";
import { tileCaches } from "./tile_caches.ts";
import { tileWeights } from "./tile_weights.ts";
import { unfuseAttention } from "./unfuse_attention.ts";
import { update } from "./update.ts";
import { gatherWeights } from "./zero/gather_weights.ts";
import { scatterGradients } from "./zero/scatter_gradients.ts";
import type { Shards, ZeroOptions } from "./zero/shards.ts";

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
  const { maxBinding = commonBinding } = plan.hardware;
  const fused = chunkLogits(fuseNorms(fuseProducts(ops)), plan.workload.dtype, maxBinding);
  const overlaps = plan.optimizations.includes("communication-overlap");
  const forward = overlaps ? chunk(fused) : fused;
  return schedule(
    tiled(asPlanned(differentiated(forward, plan, scheduling), plan), plan),
    scheduling,
    microBatches,
  );
}

/** What is trained is read in both directions, and stays whole. */
function tiled({ forward, backward }: DifferentiatedOps, { hardware, workload }: Plan) {
  const { maxBinding = commonBinding } = hardware;
  const { dtype } = workload;
  const inTiles = (ops: readonly Op[]) =>
    tileCaches(tileWeights(ops, dtype, maxBinding), dtype, maxBinding);
  return { forward: inTiles(forward), backward: inTiles(backward) };
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
    const { once, shards, ...whole } = trainingOps(ops, rules, plan.workload.dtype, zeroOf(plan));
    const overlaps = plan.optimizations.includes("communication-overlap");
    const passes = overlaps
      ? { forward: chunk(whole.forward), backward: chunk(whole.backward) }
      : whole;
    const { forward } = passes;
    const backward =
      scheduling === undefined
        ? passes.backward
        : recompute(passes, recomputedParts(plan), scheduling.places);
    const planned = asPlanned({ forward, backward }, plan);
    const ofBatches = schedule(shardPasses(planned, shards, overlaps), scheduling, microBatches);
    return [...ofBatches, { microBatch: microBatches - 1, ops: once }];
  } catch (error) {
    if (error instanceof NotDifferentiable) return undefined;
    throw error;
  }
}

/** Transfers of what no rank keeps whole, around the ops that use it. */
function shardPasses(
  { forward, backward }: DifferentiatedOps,
  shards: Shards,
  isOverlapped: boolean,
): DifferentiatedOps {
  const scattered = scatterGradients(backward, shards, isOverlapped);
  return {
    forward: gatherWeights(forward, shards, { phase: "forward", isOverlapped }),
    backward: gatherWeights(scattered, shards, { phase: "backward", isOverlapped }),
  };
}

/**
 * Products keep what activations are made of, which their gradients need.
 *
 * @param zero as of `update`; default: nothing is shared out
 * @throws NotDifferentiable where something has no gradient
 */
export function trainingOps(
  ops: readonly Op[],
  rules: Optimizer,
  dtype: Precision,
  zero: ZeroOptions = { stage: 0, copies: 1 },
) {
  const forward = fuseNorms(fuseResiduals(ops, true));
  const { backward, uses } = differentiate(forward);
  return { forward, backward, ...update(uses, { rules, dtype, zero }) };
}

function zeroOf({ degrees }: Plan): ZeroOptions {
  return { stage: degrees?.zero ?? 0, copies: degrees === undefined ? 1 : stateCopies(degrees) };
}
