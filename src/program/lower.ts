// Plan to program: the ops of every layer, rewritten by passes, then as instructions per rank for each micro-batch in
// turn, in the order of the schedule.

import { blocksOf } from "../plan/blocks.ts";
import type { Plan } from "../plan/plan.ts";
import { createBuilder, type Builder } from "./builder.ts";
import type { ActivationMemory } from "./emit/activation_memory.ts";
import { createEmitter, type Emit } from "./emit/emit.ts";
import { executedPart } from "./executed.ts";
import { layerNames, planOps } from "./plan_ops.ts";
import { runPasses } from "./passes/passes.ts";
import type { Program } from "./program.ts";
import { schedulingOf, type Scheduling } from "./schedule/scheduling.ts";
import { sequenced } from "./schedule/sequence.ts";

/**
 * The instructions of every rank for one step of the plan.
 *
 * @param asWritten without errors from `checkPlan`; else this throws an `Error` that names the layer
 */
export function lower(asWritten: Plan): Program {
  const plan = executedPart(asWritten);
  const { workload } = plan;
  const builder = createBuilder(plan.hardware.gpus, workload.dtype);
  const scheduling = schedulingOf(plan);
  const { emitMicroBatch, output } = lowering(plan, builder, scheduling);
  for (let microBatch = 0; microBatch < workload.microBatches; microBatch++) {
    emitMicroBatch(microBatch);
  }
  const blocks = blocksOf(plan);
  return {
    name: plan.name,
    dtype: workload.dtype,
    seed: workload.seed,
    ranks: builder.ranks().map((rank) => sequenced(rank, scheduling)),
    batch: workload.batch,
    tokens: workload.batch * workload.sequence,
    microBatches: workload.microBatches,
    layers: layerNames(plan),
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(scheduling === undefined ? {} : { schedule: scheduling.schedule }),
    output,
  };
}

export interface Lowering {
  /** All micro-batches are alike but for the rows they take from the input. */
  readonly emitMicroBatch: Emit;
  readonly memory: ActivationMemory;
  /** Result of one micro-batch. */
  readonly output: Program["output"];
}

/** The plan's ops behind all passes, to be emitted into `builder`. */
export function lowering(
  plan: Plan,
  builder: Builder,
  scheduling: Scheduling | undefined = schedulingOf(plan),
): Lowering {
  const { ops, output } = planOps(plan);
  const passed = runPasses(ops, plan, scheduling);
  const { emit, memory } = createEmitter(builder, passed, scheduling);
  return { output, emitMicroBatch: emit, memory };
}
