// Plan to program: the ops of every layer, rewritten by passes, then as instructions per rank for each micro-batch in
// turn, in the order of the schedule.

import { blocksOf } from "../plan/blocks.ts";
import type { Plan, ServingPhase } from "../plan/plan.ts";
import { createBuilder, type Builder } from "./builder.ts";
import {
  type ActivationMemory,
  inSameMemory,
  planActivationMemory,
} from "./emit/activation_memory.ts";
import { createEmitter, type Emit } from "./emit/emit.ts";
import { executedPart } from "./executed.ts";
import { layerNames, planOps } from "./plan_ops.ts";
import { runPasses } from "./passes/passes.ts";
import type { PhaseShape, Program, RankProgram } from "./program.ts";
import { phasePlan, servingPhases } from "./serving/phase_plan.ts";
import { schedulingOf, type Scheduling } from "./schedule/scheduling.ts";
import { sequenced } from "./schedule/sequence.ts";

/**
 * The instructions of every rank for one step of the plan; of serving for a step of each phase, decode first.
 *
 * @param asWritten without errors from `checkPlan`; else this throws an `Error` that names the layer
 */
export function lower(asWritten: Plan): Program {
  const plan = executedPart(asWritten);
  const { mode, phase } = plan.workload;
  if (mode === "serving" && phase === undefined) return lowerPhases(plan);
  const builder = createBuilder(plan.hardware.gpus, plan.workload.dtype);
  const scheduling = schedulingOf(plan);
  const { emitMicroBatch, output } = lowering(plan, builder, scheduling);
  emitStep(plan, emitMicroBatch);
  const ranks = builder.ranks().map((rank) => sequenced(rank, scheduling));
  return programOf(plan, ranks, output, scheduling);
}

function emitStep({ workload }: Plan, emitMicroBatch: Emit): void {
  for (let microBatch = 0; microBatch < workload.microBatches; microBatch++) {
    emitMicroBatch(microBatch);
  }
}

function programOf(
  plan: Plan,
  ranks: readonly RankProgram[],
  output: Program["output"],
  scheduling: Scheduling | undefined,
): Program {
  const { workload } = plan;
  const blocks = blocksOf(plan);
  return {
    name: plan.name,
    dtype: workload.dtype,
    seed: workload.seed,
    ranks,
    batch: workload.batch,
    tokens: workload.batch * workload.sequence,
    microBatches: workload.microBatches,
    layers: layerNames(plan),
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(scheduling === undefined ? {} : { schedule: scheduling.schedule }),
    output,
  };
}

/** Both phases with the same weights and caches, and activations in the same memory: one step runs at a time. */
function lowerPhases(served: Plan): Program {
  const builder = createBuilder(served.hardware.gpus, served.workload.dtype);
  const plans = servingPhases.map((name) => phasePlan(served, name));
  const lowered = loweringTogether(plans, builder);
  const phases = plans.flatMap((plan, at) => {
    const own = lowered[at];
    return own === undefined ? [] : [{ ...own, plan, scheduling: schedulingOf(plan) }];
  });
  for (const { plan, emitMicroBatch } of phases) emitStep(plan, emitMicroBatch);
  const ranks = builder.ranks().map((rank) => ({
    ...rank,
    instructions: phases.flatMap(({ plan, scheduling }) => {
      const name = plan.workload.phase?.name;
      const instructions = rank.instructions.filter(({ origin }) => origin.serves === name);
      return sequenced({ ...rank, instructions }, scheduling).instructions;
    }),
  }));
  const shapeOf = (phase: ServingPhase): PhaseShape => {
    const own = phases.find(({ plan }) => plan.workload.phase?.name === phase);
    if (own === undefined) throw new Error(`no ${phase}`);
    const { batch, sequence, microBatches } = own.plan.workload;
    return { slots: batch, slotRows: sequence, microBatches, output: own.output };
  };
  const decode = shapeOf("decode");
  const step = phasePlan(served, "decode");
  return {
    ...programOf(step, ranks, decode.output, schedulingOf(step)),
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
  const { passed, output } = passedOps(plan, scheduling);
  const { emit, memory } = createEmitter(builder, passed, scheduling);
  return { output, emitMicroBatch: emit, memory };
}

/** Of plans on the same ranks whose steps never run at the same time: their activations share memory. */
export function loweringTogether(plans: readonly Plan[], builder: Builder): Lowering[] {
  const parts = plans.map((plan) => {
    const scheduling = schedulingOf(plan);
    const { passed, output } = passedOps(plan, scheduling);
    const memory = planActivationMemory(passed, builder.dtype, scheduling);
    return { scheduling, passed, output, memory };
  });
  const memories = inSameMemory(parts.map(({ memory }) => memory));
  return parts.map(({ passed, output, scheduling }, at) => {
    const { emit, memory } = createEmitter(builder, passed, scheduling, memories[at]);
    return { output, emitMicroBatch: emit, memory };
  });
}

function passedOps(plan: Plan, scheduling: Scheduling | undefined) {
  const { ops, output } = planOps(plan);
  return { output, passed: runPasses(ops, plan, scheduling) };
}
