// Plan to program: the ops of every layer, rewritten and put in order by passes, then as instructions per rank.

import { blocksOf } from "../plan/blocks.ts";
import type { Plan } from "../plan/plan.ts";
import { createBuilder, type Builder } from "./builder.ts";
import { type Emitter, createEmitter } from "./emit/emit.ts";
import { executedPart } from "./executed.ts";
import { layerNames, planOps } from "./plan_ops.ts";
import { runPasses } from "./passes/passes.ts";
import type { SlotOps } from "./passes/schedule.ts";
import type { Program } from "./program.ts";
import { schedulingOf } from "./schedule/scheduling.ts";

/**
 * The instructions of every rank for one step of the plan.
 *
 * @param asWritten without errors from `checkPlan`; else this throws an `Error` that names the layer
 */
export function lower(asWritten: Plan): Program {
  const plan = executedPart(asWritten);
  const { workload } = plan;
  const builder = createBuilder(plan.hardware.gpus, workload.dtype);
  const { slots, emit, output } = lowering(plan, builder, workload.microBatches);
  for (const slot of slots) emit(slot);
  const blocks = blocksOf(plan);
  const scheduling = schedulingOf(plan);
  return {
    name: plan.name,
    dtype: workload.dtype,
    seed: workload.seed,
    ranks: builder.ranks(),
    batch: workload.batch,
    tokens: workload.batch * workload.sequence,
    microBatches: workload.microBatches,
    layers: layerNames(plan),
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(scheduling === undefined ? {} : { schedule: scheduling.schedule }),
    output,
  };
}

export interface Lowering extends Emitter {
  /** The ops of the step behind all passes, in the order in which they are to be emitted. */
  readonly slots: readonly SlotOps[];
  /** Result of one micro-batch. */
  readonly output: Program["output"];
}

/**
 * The plan's ops, to be emitted into `builder`.
 *
 * @param microBatches so many of the plan's, which are alike but for the rows they take from the input
 */
export function lowering(plan: Plan, builder: Builder, microBatches: number): Lowering {
  const scheduling = schedulingOf(plan);
  const { ops, output } = planOps(plan);
  const slots = runPasses(ops, plan, scheduling, microBatches);
  return { slots, output, ...createEmitter(builder, slots, scheduling) };
}
