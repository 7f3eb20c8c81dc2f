// Which stages of a plan form a pipeline: groups of GPUs that take turns in a fixed order and share no GPU.

import { gpusOfStage } from "./layers.ts";
import type { Plan } from "./plan.ts";

export interface Pipeline {
  /** GPUs of each pipeline rank; p of them, disjoint. Stage s of the plan is on pipeline rank s mod p. */
  readonly pipelineRanks: readonly (readonly number[])[];
  /** Chunks of layers that each pipeline rank has: stage s is chunk ⌊s / p⌋ of its pipeline rank. */
  readonly virtualStages: number;
}

/**
 * Undefined where stages share some of their GPUs and not all: they contend, and no schedule of a pipeline
 * has a meaning there. Stages that are all on the same GPUs are a pipeline of one rank and one chunk.
 */
export function pipelineOf({ stages }: Pick<Plan, "stages">): Pipeline | undefined {
  const groups = stages.map((stage) => gpusOfStage(stage).toSorted((a, b) => a - b));
  const keys = groups.map((gpus) => gpus.join());
  const again = keys.indexOf(keys[0] ?? "", 1);
  const period = again < 0 ? stages.length : again;
  if (period === 0 || stages.length % period !== 0) return undefined;
  if (keys.some((key, s) => key !== keys[s % period])) return undefined;
  const pipelineRanks = groups.slice(0, period);
  const all = pipelineRanks.flat();
  if (new Set(all).size !== all.length) return undefined;
  return { pipelineRanks, virtualStages: period === 1 ? 1 : stages.length / period };
}

/** Whether a run of the plan has backward slots: training in the order of a schedule. */
export function hasBackwardSlots(plan: Pick<Plan, "stages" | "workload">): boolean {
  return (
    plan.workload.mode === "training" &&
    (plan.workload.schedule !== undefined || plan.workload.optimizer !== undefined) &&
    pipelineOf(plan) !== undefined
  );
}

/** Chunk of its pipeline rank that a stage is. */
export function chunkOfStage({ pipelineRanks }: Pipeline, stage: number): number {
  return pipelineRanks.length === 1 ? 0 : Math.floor(stage / pipelineRanks.length);
}

/**
 * Micro-batches whose activations one pipeline rank holds at once in training, counted in chunks: GPipe holds
 * all, 1F1B the warm-up and one more.
 */
export function chunksInFlight(
  { pipelineRanks, virtualStages: v }: Pipeline,
  schedule: "gpipe" | "1f1b",
  microBatches: number,
  pipelineRank: number,
): number {
  const p = pipelineRanks.length;
  const all = v * microBatches;
  if (schedule === "gpipe") return all;
  const warmUp = v === 1 ? p - pipelineRank - 1 : 2 * (p - pipelineRank - 1) + (v - 1) * p;
  return Math.min(all, warmUp + 1);
}
