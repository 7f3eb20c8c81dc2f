// The schedule that a plan asks for: which slots each of its pipeline ranks runs, in which order.

import { pipelineOf, type Pipeline } from "../../plan/pipeline.ts";
import type { Plan } from "../../plan/plan.ts";
import { gpipe } from "./gpipe.ts";
import { oneForwardOneBackward } from "./one_forward_one_backward.ts";
import { forwardSlots, type Extent, type Slot } from "./slot.ts";

export interface Schedule extends Extent {
  /** `forward` has no backward slots, whatever the plan calls it. */
  readonly name: "forward" | "gpipe" | "1f1b";
  readonly pipeline: Pipeline;
}

/** Undefined where the plan's stages are no pipeline. */
export function scheduleOf(plan: Plan): Schedule | undefined {
  const pipeline = pipelineOf(plan);
  if (pipeline === undefined) return undefined;
  const { mode, schedule, microBatches, optimizer } = plan.workload;
  const named = schedule ?? (optimizer === undefined ? undefined : "1f1b");
  return {
    name: mode === "training" && named !== undefined ? named : "forward",
    pipeline,
    pipelineSize: pipeline.pipelineRanks.length,
    virtualStages: pipeline.virtualStages,
    microBatches,
  };
}

export function slotsOf(schedule: Schedule, pipelineRank: number): Slot[] {
  switch (schedule.name) {
    case "forward":
      return forwardSlots(schedule);
    case "gpipe":
      return gpipe(schedule);
    case "1f1b":
      return oneForwardOneBackward(schedule, pipelineRank);
  }
}

/** As people call it. */
export function scheduleTitle({ name, virtualStages, pipelineSize }: Schedule): string {
  const chunks = virtualStages === 1 ? "" : `, ${virtualStages} virtual stages interleaved`;
  const title = { forward: "forward passes only", gpipe: "GPipe", "1f1b": "1F1B" }[name];
  return pipelineSize === 1 ? `${title}, one stage` : `${title}${chunks}`;
}

/** The least idle time of pipeline ranks that all take as long, and the formulas that it comes from. */
export interface PredictedBubble {
  /** Idle time over the time of work: (p − 1)/m, or (p − 1)/(v·m) with v chunks. */
  readonly overIdeal: number;
  readonly overIdealFormula: string;
  /** Idle time over all time: (p − 1)/(m + p − 1), or (p − 1)/(v·m + p − 1). */
  readonly ofTotal: number;
  readonly ofTotalFormula: string;
}

export function predictedBubble({
  pipelineSize,
  virtualStages,
  microBatches,
}: Extent): PredictedBubble {
  const work = virtualStages * microBatches;
  const idle = pipelineSize - 1;
  const vm = virtualStages === 1 ? "m" : "v·m";
  return {
    overIdeal: idle / work,
    overIdealFormula: virtualStages === 1 ? "(p − 1)/m" : "(p − 1)/(v·m)",
    ofTotal: idle / (work + idle),
    ofTotalFormula: `(p − 1)/(${vm} + p − 1)`,
  };
}
