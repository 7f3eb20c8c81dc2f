// A plan that a search looks at: what it chooses, and what is known of it before anything is lowered.

import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";

export interface CandidatePlan {
  readonly file: PlanFile;
  /** Known before it is lowered: no run of it is better. */
  readonly bounds: Bounds;
}

export interface Bounds {
  /** A GPU must hold at least so many. */
  readonly memoryBytes: number;
  /** ms of a step and of one micro-batch: arithmetic alone, by the busiest stage and the pipeline's fill. */
  readonly balance: Times;
  /** With what must be on the wire. */
  readonly wire: Times;
}

/** ms */
export interface Times {
  readonly stepMs: number;
  readonly latencyMs: number;
}

/** Projected from figures of the hardware. */
export interface Prediction extends Times {
  /** Of the fullest GPU. */
  readonly memoryBytes: number;
  /** ms of the step on the GPU that works longest; the rest of the step it waits. */
  readonly kernelMs: number;
  readonly wireMs: number;
}

/** Sound, and predicted. */
export interface FoundPlan {
  readonly file: PlanFile;
  readonly plan: Plan;
  readonly prediction: Prediction;
}

export function fits({ plan, prediction }: FoundPlan): boolean {
  return prediction.memoryBytes <= (plan.hardware.memoryPerGpu ?? Infinity);
}

/** How plans of one form are varied, bounded and predicted. */
export interface Space {
  /** The plan as it was written is not among them. */
  readonly files: readonly PlanFile[];
  boundsOf(file: PlanFile): Bounds;
  predict(file: PlanFile, plan: Plan): Prediction;
}

export const objectives = ["throughput", "latency", "memory"] as const;

/**
 * What is to be least: the time of a step, which at the plan's batch is most samples a second; the time of one
 * micro-batch through the whole plan; the bytes of the fullest GPU.
 */
export type Objective = (typeof objectives)[number];

export function valueFor(
  objective: Objective,
  { stepMs, latencyMs, memoryBytes }: Times & { readonly memoryBytes: number },
): number {
  return { throughput: stepMs, latency: latencyMs, memory: memoryBytes }[objective];
}

/** By the bounds; `wire` includes `balance`. */
export function boundFor(
  objective: Objective,
  { memoryBytes, ...times }: Bounds,
  kind: "balance" | "wire",
): number {
  return valueFor(objective, { ...times[kind], memoryBytes });
}
