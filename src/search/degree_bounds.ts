// What no run of a plan with these degrees can be below, from the model's work alone. No program is made for it.
//
// Memory: a replica's weights lie on its tensor ranks, its experts on their group; the fullest GPU of a stage holds at
// least the mean. In training gradients and the optimizer's state come on top, divided as far as ZeRO says.
//
// Balance: p stages of t₁ … t_p ms for a micro-batch, divided over v chunks of each pipeline rank. Rank r works for
// m · t_r, not before the first chunk has passed those in front of it, and after its last work what is left passes the
// others: those behind it of a forward pass, those in front of it of a backward pass.
//
//   T ≥ max over r of m · t_r + (Σ s<r of f_s + Σ of what follows) / v
//
// Wire: a tensor group of n sums what attention gives in each block, and a dense network after it: 2(n − 1)/n of the bytes
// arrive at each rank (Patarasuk and Yuan 2009), in a backward pass again. Side by side the two have one sum. With an
// optimizer n-way replicas sum their gradients once a step; whichever stage is the last has those of one at least.
// Where communication overlaps, wire and arithmetic bound each for itself; elsewhere they add up.

import { hasBackwardSlots } from "../plan/pipeline.ts";
import { expertTensorOf } from "../plan/mesh.ts";
import type { Degrees, Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { degreesOf } from "../plan/stages_from_degrees.ts";
import type { Peaks } from "../program/bound.ts";
import { valueBytes } from "../program/key_value_cache.ts";
import { gradientBytes, stateBytes } from "../program/memory.ts";
import type { Bounds, Times } from "./candidate.ts";
import { type ModelWork, total, type WorkOfPart } from "./model_work.ts";

/** Blocks of each chunk of layers, in the order of stages: all chunks of the pipeline ranks in turn. */
export function blocksOfStages({ pipeline, ...degrees }: Degrees, layers: number): number[] {
  const chunks = pipeline === 1 ? 1 : (degrees.virtualStages ?? 1);
  const stages = pipeline * chunks;
  return Array.from({ length: stages }, (_, s) => {
    const own = degrees.layersPerStage?.[s % pipeline];
    return own === undefined
      ? Math.floor(((s + 1) * layers) / stages) - Math.floor((s * layers) / stages)
      : own / chunks;
  });
}

/** @param plan as it was written: model, workload and dtype are those of every candidate */
export function createDegreeBounds(
  plan: Plan,
  work: ModelWork,
  peaks: Peaks,
): (file: PlanFile) => Bounds {
  const hidden = plan.model?.hidden ?? 0;
  const { moe, parallelResidual } = plan.model ?? {};
  const hasTwoSums = moe === undefined && parallelResidual === undefined;
  const isUpdated = plan.workload.optimizer !== undefined;
  const elementBytes = valueBytes(plan);
  const rows = plan.workload.batch * plan.workload.sequence;
  return (file) => {
    const degrees = degreesOf(file);
    const { tensor, data } = degrees;
    const { microBatches = 1 } = file.workload;
    const hasBackward = hasBackwardSlots(plan);
    const counts = blocksOfStages(degrees, work.blocks.length);
    const again = file.workload.recompute?.granularity === "full" ? 1 : 0;
    const stages = stagesOf(work, counts, degrees.pipeline);
    const ranks = Math.max(tensor * data, file.parallel?.expertGroup?.length ?? 0);
    const arithmetic = stages.map(
      ({ flops, blockFlops }) =>
        (1000 * (flops + again * blockFlops)) / (microBatches * ranks * peaks.flops),
    );
    const sums = (hasTwoSums ? 2 : 1) * (hasBackward ? 2 : 1);
    const share = (2 * (tensor - 1)) / tensor;
    const sumBytes = (sums * share * rows * hidden * elementBytes) / (data * microBatches);
    const sumMs = msOf(sumBytes, peaks.linkBandwidth);
    const wires = stages.map(({ blocks }) => blocks * sumMs);
    const schedule = { microBatches, chunks: counts.length / degrees.pipeline, hasBackward };
    const overlaps = file.optimizations?.includes("communication-overlap") === true;
    const gradientMs = isUpdated ? leastGradientMs(stages, degrees, peaks) : 0;
    const balance = scheduled(arithmetic, schedule);
    const moved = overlaps
      ? larger(balance, scheduled(wires, schedule))
      : scheduled(
          arithmetic.map((ms, r) => ms + (wires[r] ?? 0)),
          schedule,
        );
    return {
      memoryBytes: Math.max(...stages.map((stage) => leastMemory(plan, stage, degrees, ranks))),
      balance,
      wire: overlaps
        ? { ...moved, stepMs: Math.max(moved.stepMs, gradientMs) }
        : { ...moved, stepMs: moved.stepMs + gradientMs },
    };
  };
}

interface StageWork extends Omit<WorkOfPart, "forwardFlops"> {
  readonly blocks: number;
  /** Of the forward pass, in blocks alone: what full recomputation does again. */
  readonly blockFlops: number;
}

/** By pipeline rank. */
function stagesOf(
  { blocks, first, last }: ModelWork,
  counts: readonly number[],
  pipeline: number,
): StageWork[] {
  const own = Array.from({ length: pipeline }, (): WorkOfPart[] => []);
  const passed = Array.from({ length: pipeline }, () => 0);
  const blockFlops = Array.from({ length: pipeline }, () => 0);
  let next = 0;
  for (const [stage, count] of counts.entries()) {
    const rank = stage % pipeline;
    const passing = blocks.slice(next, next + count);
    own[rank]?.push(...passing);
    blockFlops[rank] = (blockFlops[rank] ?? 0) + total(passing, (each) => each.forwardFlops);
    passed[rank] = (passed[rank] ?? 0) + count;
    next += count;
  }
  own[0]?.push(first);
  own.at(-1)?.push(last);
  return own.map((parts, rank) => ({
    blocks: passed[rank] ?? 0,
    blockFlops: blockFlops[rank] ?? 0,
    flops: total(parts, ({ flops }) => flops),
    experts: total(parts, ({ experts }) => experts),
    others: total(parts, ({ others }) => others),
  }));
}

/** @param stageMs by pipeline rank, of one micro-batch in all of its chunks */
export function scheduled(
  stageMs: readonly number[],
  {
    microBatches,
    chunks,
    hasBackward,
  }: { readonly microBatches: number; readonly chunks: number; readonly hasBackward: boolean },
): Times {
  const all = stageMs.reduce((sum, ms) => sum + ms, 0);
  let before = 0;
  let stepMs = 0;
  for (const ms of stageMs) {
    const others = hasBackward ? before : all - ms;
    stepMs = Math.max(stepMs, microBatches * ms + others / chunks);
    before += ms;
  }
  return { stepMs: Math.max(stepMs, all), latencyMs: all };
}

function larger(a: Times, b: Times): Times {
  return {
    stepMs: Math.max(a.stepMs, b.stepMs),
    latencyMs: Math.max(a.latencyMs, b.latencyMs),
  };
}

function leastMemory(
  plan: Plan,
  { experts, others }: StageWork,
  degrees: Degrees,
  ranks: number,
): number {
  const { tensor, data, expert, zero = 0 } = degrees;
  const holders = Math.min(ranks, expert * expertTensorOf(degrees));
  const bytes = (each: number, isSharded: boolean): number =>
    each * (others / (tensor * (isSharded ? data : 1)) + experts / (isSharded ? ranks : holders));
  if (plan.workload.mode !== "training") return bytes(valueBytes(plan), false);
  return (
    bytes(valueBytes(plan), zero === 3) +
    bytes(gradientBytes, zero >= 2) +
    bytes(stateBytes(plan), zero >= 1)
  );
}

/** An all-reduce over the replicas, or the reduce-scatter and all-gather in its place. */
function leastGradientMs(
  stages: readonly StageWork[],
  { tensor, data }: Degrees,
  { linkBandwidth }: Peaks,
): number {
  const others = Math.min(...stages.map((stage) => stage.others));
  const received = (others / tensor) * gradientBytes * ((data - 1) / data);
  return msOf(received, linkBandwidth);
}

function msOf(bytes: number, bytesPerSecond: number | undefined): number {
  return bytesPerSecond === undefined ? 0 : (1000 * bytes) / bytesPerSecond;
}
