// A plan's step on hardware that is known by its figures, and how far from it a run may be.
//
// At the roofline no run is faster than the figures allow; how much slower runs are, only runs tell. Ratios of measured
// steps to projected ones, of other plans on the same hardware, center the projection and give its interval. Without them
// it reaches from the roofline to a tenth of every rate, with the geometric mean as the figure.

import type { Figure, Unit } from "../measure/figure.ts";
import { predictionInterval } from "../measure/prediction_interval.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { stepPlan } from "../program/serving/phase_plan.ts";
import { simulateHardware } from "../program/simulate/simulate_hardware.ts";
import type { Prediction } from "./candidate.ts";
import { predictDegrees } from "./predict.ts";
import { createUnits } from "./unit.ts";

export interface ProjectedStep {
  readonly stepMs: ProjectedFigure;
  readonly samplesPerSecond: ProjectedFigure;
  readonly tokensPerSecond: ProjectedFigure;
  /** At the roofline, of the GPU that works longest. */
  readonly parts: StepParts;
  /** Of other plans, measured ÷ at the roofline. */
  readonly ratios: readonly number[];
}

/** With the range that a run is expected in; it is a 95 % interval, which the figure then has, where runs calibrate it. */
export interface ProjectedFigure extends Figure {
  readonly range: readonly [low: number, high: number];
}

export type StepParts = Pick<Prediction, "stepMs" | "kernelMs" | "wireMs">;

/** Of every rate, where no run tells what is reached. */
const leastShare = 0.1;

/** @param ratios measured ÷ `atRoofline`, of other plans on the same hardware */
export function projectStep(
  file: PlanFile,
  plan: Plan,
  peaks: Peaks,
  overheads: Overheads,
  ratios: readonly number[],
): ProjectedStep {
  const parts = atRoofline(file, plan, peaks, overheads);
  const calibrated = predictionInterval(ratios);
  const slowest = calibrated
    ? undefined
    : atRoofline(file, plan, scaled(peaks, leastShare), overheads);
  const fastest = calibrated
    ? undefined
    : atRoofline(file, plan, peaks, { latencyMs: 0, launchMs: 0 });
  const low = fastest?.stepMs ?? parts.stepMs * (calibrated?.interval[0] ?? 1);
  const high = slowest?.stepMs ?? parts.stepMs * (calibrated?.interval[1] ?? 1);
  const value = calibrated ? parts.stepMs * calibrated.center : Math.sqrt(low * high);
  const condition =
    calibrated === undefined
      ? `not calibrated: from the roofline to ${100 * leastShare} % of every rate`
      : `calibrated on ${ratios.length} other plans that ran on the same hardware`;
  const figure = (of: (stepMs: number) => number, unit: Unit): ProjectedFigure => {
    const ends = [of(low), of(high)] as const;
    const range = [Math.min(...ends), Math.max(...ends)] as const;
    return {
      value: of(value),
      unit,
      samples: 0,
      provenance: "projected",
      ...(calibrated === undefined ? {} : { interval: range }),
      range,
      conditions: [condition],
    };
  };
  const { batch, sequence } = stepPlan(plan).workload;
  return {
    stepMs: figure((ms) => ms, "ms"),
    samplesPerSecond: figure((ms) => (1000 * batch) / ms, "samples/s"),
    tokensPerSecond: figure((ms) => (1000 * batch * sequence) / ms, "tokens/s"),
    parts,
    ratios,
  };
}

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

function scaled({ flops, bandwidth, linkBandwidth }: Peaks, share: number): Peaks {
  return {
    flops: share * flops,
    ...(bandwidth === undefined ? {} : { bandwidth: share * bandwidth }),
    ...(linkBandwidth === undefined ? {} : { linkBandwidth: share * linkBandwidth }),
  };
}
