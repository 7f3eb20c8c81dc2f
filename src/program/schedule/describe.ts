// A plan's schedule for people and for JSON: who does what when, if a pass takes as long as its FLOPs.

import { chunkOfStage } from "../../plan/pipeline.ts";
import type { Plan } from "../../plan/plan.ts";
import type { PlanEstimate } from "../estimate.ts";
import { copiesOf } from "./copies.ts";
import { predictedBubble, scheduleOf, scheduleTitle, type PredictedBubble } from "./schedule.ts";
import { idleShare, timeline, type TimedSlot } from "./timeline.ts";

export interface ScheduleDescription {
  readonly title: string;
  /** p, m and v. */
  readonly pipelineSize: number;
  readonly microBatches: number;
  readonly virtualStages: number;
  /** What backward slots are, where there are any. */
  readonly backward?: "gradients" | "synthetic";
  /** Of pipeline ranks that all take as long. */
  readonly predicted: PredictedBubble;
  /** Idle share of all time as drawn, where pipeline ranks are as uneven as their FLOPs. */
  readonly idleShare: number;
  readonly rows: readonly ScheduleRow[];
}

export interface ScheduleRow {
  readonly name: string;
  readonly gpus: readonly number[];
  /** Micro-batches whose activations are held at once, per chunk. */
  readonly inFlight: readonly number[];
  /** Times in units of the shortest forward slot. */
  readonly slots: readonly TimedSlot[];
}

/** Undefined where the plan's stages are no pipeline. */
export function describeSchedule(
  plan: Plan,
  estimate: PlanEstimate,
): ScheduleDescription | undefined {
  const schedule = scheduleOf(plan);
  if (schedule === undefined) return undefined;
  const { pipelineSize, virtualStages, microBatches, name } = schedule;
  const lengths = forwardLengths(plan, estimate, pipelineSize, virtualStages);
  const rows = timeline(schedule, (pipelineRank, { phase, chunk }) => {
    const forward = lengths[pipelineRank]?.[chunk] ?? 1;
    return phase === "forward" ? forward : 2 * forward;
  });
  return {
    title: scheduleTitle(schedule),
    pipelineSize,
    microBatches,
    virtualStages,
    ...(name === "forward"
      ? {}
      : { backward: plan.workload.optimizer === undefined ? "synthetic" : "gradients" }),
    predicted: predictedBubble(schedule),
    idleShare: idleShare(rows),
    rows: rows.map((slots, pipelineRank) => ({
      name: nameOf(plan, pipelineRank, pipelineSize),
      gpus: schedule.pipeline.pipelineRanks[pipelineRank] ?? [],
      inFlight: copiesOf(schedule, pipelineRank).counts,
      slots,
    })),
  };
}

/** Of each chunk of each pipeline rank, by the FLOPs of its layers; 1 is the shortest. */
function forwardLengths(
  plan: Plan,
  { layers }: PlanEstimate,
  pipelineSize: number,
  virtualStages: number,
): number[][] {
  const pipeline = { pipelineRanks: Array.from({ length: pipelineSize }, () => []), virtualStages };
  const flops = pipeline.pipelineRanks.map(() => Array.from({ length: virtualStages }, () => 0));
  let next = 0;
  for (const [s, stage] of plan.stages.entries()) {
    const own = flops[s % pipelineSize];
    const chunk = chunkOfStage(pipeline, s);
    for (const layer of layers.slice(next, next + stage.layers.length)) {
      if (own !== undefined) own[chunk] = (own[chunk] ?? 0) + layer.flops;
    }
    next += stage.layers.length;
  }
  const shortest = Math.min(...flops.flat().filter((each) => each > 0));
  // A stage without arithmetic, such as an aggregation, still has its slot.
  return flops.map((own) => own.map((each) => Math.max(1, each / shortest)));
}

function nameOf({ stages }: Plan, pipelineRank: number, pipelineSize: number): string {
  return stages.length === pipelineSize
    ? (stages[pipelineRank]?.name ?? "")
    : `pp rank ${pipelineRank}`;
}
