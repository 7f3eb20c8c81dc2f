// What runs of other plans on the same hardware tell of a plan's step. Where their ranks were timed one by one, its
// instructions take what theirs took; else they take what the figures of the hardware say. Each run is predicted from the
// others in the same way, and how far that is from what was measured tells how far the plan's own step may be.

import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { Peaks } from "../program/bound.ts";
import { stepPlan } from "../program/serving/phase_plan.ts";
import { playDistinct } from "../program/simulate/alike.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { streamTapes } from "../program/simulate/stream_tapes.ts";
import { createTimedCosts, type TimedCosts, type TimedStep } from "./timed/timed_cost.ts";
import { atRoofline, type StepParts } from "./roofline_step.ts";

export interface MeasuredPlan {
  readonly file: PlanFile;
  readonly plan: Plan;
  /** Of its steps with all ranks at work. */
  readonly stepMs: number;
  /** Absent where its ranks were not timed one by one. */
  readonly timed?: TimedStep;
}

export interface StepCalibration {
  /** What the plan's step takes, as far as instructions tell. */
  readonly parts: StepParts;
  /** Of each run, measured ÷ what the others' instructions say. */
  readonly ratios: readonly number[];
  readonly from: "roofline" | "timed instructions";
}

export function calibrateStep(
  runs: readonly MeasuredPlan[],
  file: PlanFile,
  plan: Plan,
  peaks: Peaks,
  overheads: Overheads,
): StepCalibration {
  const timed = runs.flatMap((run) => run.timed ?? []);
  if (runs.length < 2 || timed.length < runs.length) {
    const partsOf = (of: PlanFile, meant: Plan) => atRoofline(of, meant, peaks, overheads);
    return {
      parts: partsOf(file, plan),
      ratios: runs.map((run) => run.stepMs / partsOf(run.file, run.plan).stepMs),
      from: "roofline",
    };
  }
  const costsOf = (steps: readonly TimedStep[]) => createTimedCosts(steps, peaks, overheads);
  return {
    parts: timedParts(plan, costsOf(timed)),
    ratios: runs.map(
      (run, i) => run.stepMs / timedParts(run.plan, costsOf(timed.toSpliced(i, 1))).stepMs,
    ),
    from: "timed instructions",
  };
}

/** @param whole of serving, of which a decode step is played */
function timedParts(whole: Plan, { costOf, rest, latencyMs }: TimedCosts): StepParts {
  const tapes = streamTapes(stepPlan(whole), costOf, rest);
  const { wallMs: stepMs, ranks } = playDistinct(tapes, { latencyMs });
  const free = playDistinct(tapes, { latencyMs: 0, without: { communication: true } });
  return {
    stepMs,
    kernelMs: ranks.reduce((most, { computeMs }) => Math.max(most, computeMs), 0),
    wireMs: stepMs - free.wallMs,
  };
}
