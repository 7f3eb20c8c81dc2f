// A run whose figures cannot be: it uses more of its adapters than there is. Peaks may have been measured in a bad
// moment, so they are measured once more; what is impossible then stops the run.

import { EnvironmentError } from "../environment_error.ts";
import { describeOverBound } from "../measure/describe_over_bound.ts";
import type { RunResult } from "../result/result.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import { calibrationsOf, largerPeaks } from "./calibrations.ts";
import type { Job } from "./job.ts";

export function isPossible({ metrics }: Pick<RunResult, "metrics">): boolean {
  return !metrics.overBound.some(({ isOfStep }) => isOfStep);
}

/**
 * The result by peaks that were measured anew.
 *
 * @throws EnvironmentError `contradicts-itself` where it is as impossible by these
 */
export async function calibratedAgain(
  { options, record, note }: Pick<Job, "options" | "record" | "note">,
  pool: Pick<RankPool, "calibrate" | "adapters">,
  finish: (outcome: RunResult["outcome"]) => Promise<RunResult>,
): Promise<RunResult> {
  options.onProgress({ phase: "calibrate" });
  note({ calibration: largerPeaks(record().calibration, await calibrationsOf(pool, "anew")) });
  const result = await finish({ state: "complete" });
  const impossible = result.metrics.overBound.find(({ isOfStep }) => isOfStep);
  if (impossible === undefined) return result;
  throw new EnvironmentError(
    "contradicts-itself",
    `the measurement contradicts itself: ${describeOverBound(impossible)}`,
    "run it again on a quiet machine; if it stays, report it with the plan and the result file",
  );
}
