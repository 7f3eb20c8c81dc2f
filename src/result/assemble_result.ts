// From what a run collected to its result: figures and verdicts are computed here, once.

import { atOnce, type InSlices } from "../in_slices.ts";
import type { Measurements } from "../claims/case.ts";
import { judgeClaims } from "../claims/judge.ts";
import { judgeWhole } from "../claims/judge_whole.ts";
import type { Verdict } from "../claims/verdict.ts";
import { runConditions } from "../claims/obstacles.ts";
import { curveFigures } from "../measure/decode_curve.ts";
import { metricsInSlices } from "../measure/compute_metrics.ts";
import { groupKernels } from "../measure/kernel_groups.ts";
import { marginsOf } from "../measure/margin.ts";
import type { CalibratedPeaks } from "../measure/ceiling.ts";
import { projectWhole } from "../claims/projected_whole.ts";
import { normalise } from "../plan/normalise.ts";
import type { Plan } from "../plan/plan.ts";
import { estimatePlan } from "../program/estimate.ts";
import { workKey } from "../program/kernel_work.ts";
import { stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { circumstancesOf } from "./circumstances.ts";
import { planHash, workHash } from "./plan_hash.ts";
import { SCHEMA_VERSION, type RunResult, type Scaled, type ScaledRecord } from "./result.ts";

/** Everything that a run collects; the rest of the result follows from it. */
export type RunRecord = CollectedRecord & { readonly scaled?: ScaledRecord };

type CollectedRecord = Pick<
  RunResult,
  | "written"
  | "programHash"
  | "date"
  | "versions"
  | "adapters"
  | "separation"
  | "link"
  | "notes"
  | "runs"
  | "check"
  | "calibration"
  | "kernels"
  | "estimate"
  | "memory"
  | "samples"
  | "trace"
  | "served"
  | "decodeCurve"
  | "overlapEffect"
  | "projection"
  | "phases"
  | "outcome"
>;

/** @param program lowered from `plan` */
export function assembleResult(plan: Plan, program: Program, record: RunRecord): RunResult {
  return atOnce(resultInSlices(plan, program, record));
}

export function* resultInSlices(
  plan: Plan,
  program: Program,
  record: RunRecord,
): InSlices<RunResult> {
  const variants = new Map(
    record.kernels.map(({ adapter, variant, ...work }) => [`${adapter} ${workKey(work)}`, variant]),
  );
  const step = stepOf(program);
  const { served } = record;
  const { serving } = plan.workload;
  const conditions = runConditions(record.adapters, record.link);
  const margins = marginsOf(circumstancesOf(record));
  const ofSteps = yield* metricsInSlices({
    program: step,
    ...(served === undefined || serving === undefined
      ? {}
      : {
          served: {
            rounds: served,
            plan: {
              gpus: plan.hardware.gpus,
              inputTokens: serving.inputTokens,
              kvCacheBytes: cacheBytesOf(program),
            },
          },
        }),
    estimate: record.estimate,
    samples: record.samples,
    peaks: peaksOf(record),
    kernels: groupKernels(
      step,
      record.adapters.map(({ id }) => id),
    ).groups,
    variantOf: ({ adapter, ...work }) => variants.get(`${adapter} ${workKey(work)}`),
    conditions,
    margins,
  });
  const { decodeCurve: points = [] } = record;
  const curve = curveFigures(points, { provenance: "measured", conditions, margins });
  const metrics = curve.length === 0 ? ofSteps : { ...ofSteps, decodeCurve: curve };
  const { scaled: scaledRecord, ...collected } = record;
  const judged = scaledRecord && judgedWhole(scaledRecord, plan, { ...record, metrics });
  return {
    schemaVersion: SCHEMA_VERSION,
    plan: { name: plan.name, hash: planHash(plan), workHash: workHash(plan) },
    seed: program.seed,
    ...collected,
    metrics,
    verdicts:
      judged?.verdicts ??
      judgeClaims({
        plan,
        estimate: estimatePlan(plan),
        measurements: { ...record, metrics },
      }),
    ...(judged === undefined ? {} : { scaled: judged.scaled }),
  };
}

/** What a run of `scaled` says of the full plan, as its own seed would have it. */
function judgedWhole(
  record: ScaledRecord,
  scaled: Plan,
  measurements: Measurements,
): { readonly scaled: Scaled; readonly verdicts: readonly Verdict[] } {
  const { plan: full } = normalise(record.full);
  if (full === undefined) throw new Error("the full plan has no meaning");
  const projected = projectWhole(full, scaled, measurements.metrics);
  return {
    scaled: { ...record, projected },
    verdicts: judgeWhole(full, { measurements, projected, reductions: record.reductions }),
  };
}

/** Of all ranks. */
function cacheBytesOf({ ranks }: Program): number {
  return ranks
    .flatMap(({ buffers }) => buffers)
    .reduce((sum, { role, bytes }) => sum + (role === "cache" ? bytes : 0), 0);
}

/** A rank with a core of its own has the calibrated adapter, one core of it, to itself. */
function peaksOf({ calibration, adapters }: RunRecord): CalibratedPeaks[] {
  return calibration.flatMap(({ adapter, ceilings, streamedBytes }) => {
    const own = adapters.filter(({ id }) => id === adapter);
    const pinned = own.filter(({ core }) => core !== undefined);
    const software = own.some((each) => each.software);
    const peaks = { adapter, ceilings, streamedBytes };
    if (pinned.length > 0) return pinned.map(() => ({ ...peaks, software: false }));
    return [{ ...peaks, software }];
  });
}
