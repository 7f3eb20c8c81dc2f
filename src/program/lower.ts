// Plan to program: the ops of every layer, rewritten and put in order by passes, then as instructions per rank.

import { blocksOf } from "../plan/blocks.ts";
import type { Plan, ServingPhase } from "../plan/plan.ts";
import { createBuilder, type Builder } from "./builder.ts";
import { planActivationMemory } from "./emit/activation_memory.ts";
import { type Emitter, createEmitter } from "./emit/emit.ts";
import { executedPart } from "./executed.ts";
import { layerNames, planOps } from "./plan_ops.ts";
import { runPasses } from "./passes/passes.ts";
import type { SlotOps } from "./passes/schedule.ts";
import type { Program, RankProgram } from "./program.ts";
import { everyLayer, type Repeats } from "./repeats.ts";
import { rowOrderOf } from "./row_order.ts";
import { schedulingOf } from "./schedule/scheduling.ts";
import type { PhaseShape } from "./serving/phase_shape.ts";
import { phasePlan, servingPhases } from "./serving/phase_plan.ts";
import { tokenSourceOf } from "./token_source.ts";

/**
 * The instructions of every rank for one step of the plan; of serving for a step of each phase, decode first.
 *
 * @param asWritten without errors from `checkPlan`; else this throws an `Error` that names the layer
 */
export function lower(asWritten: Plan): Program {
  const plan = executedPart(asWritten);
  const { workload } = plan;
  if (workload.mode === "serving" && workload.phase === undefined) return lowerPhases(plan);
  const builder = createBuilder(plan.hardware.gpus, workload.dtype);
  const { slots, emit, output } = lowering(plan, builder, workload.microBatches);
  for (const slot of slots) emit(slot);
  return programOf(plan, builder.ranks(), output);
}

function programOf(plan: Plan, ranks: readonly RankProgram[], output: Program["output"]): Program {
  const { workload } = plan;
  const blocks = blocksOf(plan);
  const scheduling = schedulingOf(plan);
  const data = tokenSourceOf(plan);
  const rowOrder = rowOrderOf(plan);
  return {
    name: plan.name,
    dtype: workload.dtype,
    seed: workload.seed,
    ...(data === undefined ? {} : { data }),
    ranks,
    batch: workload.batch,
    tokens: workload.batch * workload.sequence,
    microBatches: workload.microBatches,
    layers: layerNames(plan),
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(rowOrder === undefined ? {} : { rowOrder }),
    ...(scheduling === undefined ? {} : { schedule: scheduling.schedule }),
    output,
  };
}

/** Both phases with the same weights and caches, and activations in the same memory: one step runs at a time. */
function lowerPhases(served: Plan): Program {
  const builder = createBuilder(served.hardware.gpus, served.workload.dtype);
  const plans = servingPhases.map((name) => phasePlan(served, name));
  const lowered = loweringTogether(plans.map(everyLayer), builder);
  for (const { slots, emit } of lowered) for (const slot of slots) emit(slot);
  const shapeOf = (phase: ServingPhase): PhaseShape => {
    const at = servingPhases.indexOf(phase);
    const [plan, own] = [plans[at], lowered[at]];
    if (plan === undefined || own === undefined) throw new Error(`no ${phase}`);
    const { batch, sequence, microBatches } = plan.workload;
    return { slots: batch, slotRows: sequence, microBatches, output: own.output };
  };
  const decode = shapeOf("decode");
  return {
    ...programOf(phasePlan(served, "decode"), builder.ranks(), decode.output),
    phases: { decode, prefill: shapeOf("prefill") },
  };
}

/** Of a program of serving the part of one phase. Decode steps have the same places in both. */
export function phaseOf(program: Program, phase: ServingPhase): Program {
  return {
    ...program,
    ranks: program.ranks.map((rank) => ({
      ...rank,
      instructions: rank.instructions.filter(({ origin }) => origin.serves === phase),
    })),
  };
}

/** What figures of a step are about: of serving the decode part. */
export function stepOf(program: Program): Program {
  return program.phases === undefined ? program : phaseOf(program, "decode");
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
  const [lowered] = loweringTogether([everyLayer(plan)], builder, microBatches);
  if (lowered === undefined) throw new Error(`${plan.name} is not lowered`);
  return lowered;
}

/**
 * Of plans on the same ranks whose steps never run at the same time: their activations share memory.
 *
 * @param microBatches as of `lowering`; default: all of each
 */
export function loweringTogether(
  plans: readonly Pick<Repeats, "plan" | "kindOf">[],
  builder: Builder,
  microBatches?: number,
): Lowering[] {
  const parts = plans.map(({ plan, kindOf }) => {
    const scheduling = schedulingOf(plan);
    const { ops, output } = planOps(plan);
    const slots = runPasses(ops, plan, scheduling, microBatches ?? plan.workload.microBatches);
    return { scheduling, slots, output, kindOf };
  });
  const memories = planActivationMemory(parts, builder.dtype);
  return parts.map(({ slots, output, scheduling }, at) => ({
    slots,
    output,
    ...createEmitter(builder, scheduling, memories[at] ?? { on: () => undefined }),
  }));
}
