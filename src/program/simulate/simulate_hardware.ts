// A plan's step by the figures of its hardware: kernels at the roofline, transfers by the link's.

import type { Plan } from "../../plan/plan.ts";
import type { Peaks } from "../bound.ts";
import { predictedBubble, scheduleOf } from "../schedule/schedule.ts";
import { stepPlan } from "../serving/phase_plan.ts";
import { playDistinct } from "./alike.ts";
import { createHardwareCost } from "./hardware_cost.ts";
import { streamTapes } from "./stream_tapes.ts";

export interface HardwareProjection {
  readonly peaks: Peaks;
  readonly latencyMs: number;
  readonly stepMs: number;
  readonly samplesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Share of all ranks' time in which they compute. */
  readonly busy: number;
  /** Idle share that the schedule must have with equal stages; absent without a pipeline. */
  readonly scheduleBubble?: number;
  readonly ranks: readonly { readonly endMs: number; readonly computeMs: number }[];
}

/** Thousands of GPUs take seconds. @param whole of serving, of which a decode step is played */
export function simulateHardware(
  whole: Plan,
  peaks: Peaks,
  latencyMs: number,
  launchMs = 0,
): HardwareProjection {
  const plan = stepPlan(whole);
  const { batch, sequence } = plan.workload;
  const played = playDistinct(streamTapes(plan, createHardwareCost(peaks, launchMs)), {
    latencyMs,
  });
  const { wallMs: stepMs, ranks } = played;
  const schedule = scheduleOf(plan);
  const work = ranks.reduce((sum, { computeMs }) => sum + computeMs, 0);
  return {
    peaks,
    latencyMs,
    stepMs,
    samplesPerSecond: (1000 * batch) / stepMs,
    tokensPerSecond: (1000 * batch * sequence) / stepMs,
    busy: stepMs === 0 ? 0 : work / (stepMs * ranks.length),
    ...(schedule === undefined || schedule.pipelineSize < 2
      ? {}
      : { scheduleBubble: predictedBubble(schedule).ofTotal }),
    ranks,
  };
}
