// What a program will cost, read off its instructions: nothing is run.

import { countParameters } from "../plan/parameters.ts";
import type { Plan } from "../plan/plan.ts";
import { createClock, type Bound, type Peaks } from "./bound.ts";
import { layerNames, lowerMicroBatch } from "./lower.ts";
import type { Instruction, Program } from "./program.ts";
import { scheduleBuilder, schedulingOf } from "./schedule/scheduled_builder.ts";
import { createStream, type Sink } from "./stream.ts";
import { createTally, kernelFlops, type Totals } from "./tally.ts";
import type { LayerEstimate, RankEstimate } from "./tally.ts";
import { unshard } from "./unshard.ts";
import { createWireCount } from "./wire.ts";

export type { CollectiveEstimate, KernelEstimate, LayerEstimate, RankEstimate } from "./tally.ts";

export interface Estimate {
  readonly ranks: readonly RankEstimate[];
  readonly layers: readonly LayerEstimate[];
  /**
   * What the model needs per step, however it is split: the FLOPs of the unsharded program. The numerator
   * of MFU. A causal kernel counts half of the score matrix; experts count the tokens sent to them.
   */
  readonly modelFlops: number;
}

/** Everything that follows from a plan before it runs. */
export interface PlanEstimate extends Estimate, Totals {
  /** Samples and tokens of one step. */
  readonly batch: number;
  readonly tokens: number;
  readonly microBatches: number;
  readonly parameters: Parameters;
  /** Present where a peak was given. */
  readonly bound?: Bound;
}

export interface Parameters {
  readonly total: number;
  /** Those that one token passes: of the experts its `topK`. */
  readonly active: number;
  /** Those that the unsharded program holds: without what no layer runs. */
  readonly inProgram: number;
  /** What `total` and `active` are read from. */
  readonly source: "model" | "program";
}

/** Costs of one step of `program`, which was lowered from `plan`. */
export const estimate = (program: Program, plan: Plan): Estimate => {
  const tally = createTally(program.ranks.length, program.layers, createWireCount());
  for (const { rank, buffers, instructions } of program.ranks) {
    for (const { role, bytes, within } of buffers) {
      if (within === undefined) tally.allocate(rank, role, bytes, 0);
    }
    for (const instruction of instructions) tally.add(rank, instruction);
  }
  // All micro-batches were added.
  const { ranks, layers } = tally.totals(1);
  return { ranks, layers, modelFlops: unsharded(plan).flops };
};

/**
 * Costs of one step of `plan`, from the same lowering that makes its program, of which none is kept: plans
 * of thousands of GPUs take seconds.
 *
 * @param plan as for `lower`
 * @param peaks of each GPU; without them there is no bound
 */
export const estimatePlan = (plan: Plan, peaks?: Peaks): PlanEstimate => {
  const { gpus } = plan.hardware;
  const { batch, sequence, microBatches } = plan.workload;
  const step = { batch, tokens: batch * sequence, microBatches };
  const declared = new Set(plan.communications.map(({ name }) => name));
  const wire = createWireCount();
  const tally = createTally(gpus, layerNames(plan), wire, declared);
  const clock = peaks === undefined ? undefined : createClock(gpus, peaks, wire);
  listen(plan, {
    allocate: (...buffer) => tally.allocate(...buffer),
    add(rank, instruction) {
      tally.add(rank, instruction);
      clock?.add(rank, instruction);
    },
  });
  const alone = unsharded(plan);
  return {
    ...step,
    ...tally.totals(microBatches),
    modelFlops: alone.flops,
    parameters: parametersOf(plan, alone),
    ...(clock === undefined ? {} : { bound: clock.bound(step) }),
  };
};

/** Lowers the first micro-batch, which all others are like, and hands on what comes. */
const listen = (plan: Plan, sink: Sink): void => {
  const stream = createStream(plan.hardware.gpus, plan.workload.dtype, sink);
  lowerMicroBatch(plan, scheduleBuilder(stream, plan, schedulingOf(plan)), 0);
  stream.end();
};

interface Unsharded {
  readonly flops: number;
  readonly parameters: number;
  /** Of experts that a token is not sent to. */
  readonly idleParameters: number;
}

const unsharded = (plan: Plan): Unsharded => {
  let flops = 0;
  let parameters = 0;
  let idleParameters = 0;
  listen(unshard(plan), {
    allocate(_rank, role, _bytes, elements) {
      if (role === "weight") parameters += elements;
    },
    add(_rank, instruction) {
      flops += kernelFlops(instruction);
      idleParameters += idleWeights(plan, instruction);
    },
  });
  return { flops: flops * plan.workload.microBatches, parameters, idleParameters };
};

/** Of a product over experts: the weights of those that a token is not sent to. */
const idleWeights = (plan: Plan, instruction: Instruction): number => {
  if (instruction.op !== "kernel" || instruction.kernel !== "grouped_matmul") return 0;
  const { experts, n, k, expectedRows } = instruction.shape;
  const { batch, sequence, microBatches } = plan.workload;
  const topK = expectedRows / ((batch * sequence) / microBatches);
  return Math.max(0, experts - topK) * n * k;
};

const parametersOf = (plan: Plan, { parameters, idleParameters }: Unsharded): Parameters => {
  if (plan.model === undefined) {
    const active = parameters - idleParameters;
    return { total: parameters, active, inProgram: parameters, source: "program" };
  }
  const { total, active } = countParameters(plan.model);
  return { total, active, inProgram: parameters, source: "model" };
};
