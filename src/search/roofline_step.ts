// A plan's step at the roofline of its hardware's figures.

import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { simulateHardware } from "../program/simulate/simulate_hardware.ts";
import type { Prediction } from "./candidate.ts";
import { predictDegrees } from "./predict.ts";
import { createUnits } from "./unit.ts";

export type StepParts = Pick<Prediction, "stepMs" | "kernelMs" | "wireMs">;

/** Of degrees by slots, so that thousands of GPUs take as long as a few; else every instruction of every GPU. */
export function atRoofline(
  file: PlanFile,
  plan: Plan,
  peaks: Peaks,
  overheads: Overheads,
): StepParts {
  if (isEven(plan)) {
    return predictDegrees(plan, createUnits(peaks, overheads)(file), peaks, overheads.latencyMs);
  }
  const played = simulateHardware(plan, peaks, overheads.latencyMs, overheads.launchMs);
  const kernelMs = played.ranks.reduce((most, { computeMs }) => Math.max(most, computeMs), 0);
  const { linkBandwidth: _, ...free } = peaks;
  const unlinked = simulateHardware(plan, free, 0, overheads.launchMs);
  return { stepMs: played.stepMs, kernelMs, wireMs: played.stepMs - unlinked.stepMs };
}

function isEven({ degrees, workload }: Plan): boolean {
  if (degrees === undefined || workload.mode === "serving") return false;
  const { data, context = 1 } = degrees;
  return context === 1 && workload.batch % (workload.microBatches * data) === 0;
}
