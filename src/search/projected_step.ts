// A plan's step on hardware that is known by its figures, and how far from it a run may be.
//
// At the roofline no run is faster than the figures allow; how much slower runs are, only runs tell. Ratios of measured
// steps to modeled ones, of other plans on the same hardware, center the projection and give its interval. Without them
// it reaches from the roofline to a tenth of every rate, with the geometric mean as the figure.

import type { Figure, Unit } from "../measure/figure.ts";
import { predictionInterval } from "../measure/prediction_interval.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { stepPlan } from "../program/serving/phase_plan.ts";
import { atRoofline, type StepParts } from "./roofline_step.ts";
import { calibrateStep, type MeasuredPlan, type StepCalibration } from "./step_calibration.ts";

export interface ProjectedStep {
  readonly stepMs: ProjectedFigure;
  readonly samplesPerSecond: ProjectedFigure;
  readonly tokensPerSecond: ProjectedFigure;
  /** Before it is calibrated, of the GPU that works longest. */
  readonly parts: StepParts;
  readonly from: StepCalibration["from"];
  /** Of other plans, measured ÷ what `from` says of them. */
  readonly ratios: readonly number[];
}

/** With the range that a run is expected in; it is a 95 % interval, which the figure then has, where runs calibrate it. */
export interface ProjectedFigure extends Figure {
  readonly range: readonly [low: number, high: number];
}

/** Of every rate, where no run tells what is reached. */
const leastShare = 0.1;

/** @param runs of other plans on the same hardware */
export function projectStep(
  file: PlanFile,
  plan: Plan,
  peaks: Peaks,
  overheads: Overheads,
  runs: readonly MeasuredPlan[],
): ProjectedStep {
  const { parts, ratios, from } = calibrateStep(runs, file, plan, peaks, overheads);
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
      : `calibrated on ${ratios.length} other plans that ran on the same hardware, ${fromText[from]}`;
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
    from,
    ratios,
  };
}

const fromText: Readonly<Record<StepCalibration["from"], string>> = {
  roofline: "from the roofline of their kernels",
  "timed instructions": "from what their instructions took alone",
};

function scaled({ flops, bandwidth, linkBandwidth }: Peaks, share: number): Peaks {
  return {
    flops: share * flops,
    ...(bandwidth === undefined ? {} : { bandwidth: share * bandwidth }),
    ...(linkBandwidth === undefined ? {} : { linkBandwidth: share * linkBandwidth }),
  };
}
