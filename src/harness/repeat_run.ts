// A run once more with ranks that were opened anew: other processes, other memory, other pipelines. What can differ
// from run to run does, and what must not is held against the first.

import type { RankPool } from "../runtime/rank_pool.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";
import { lookedAtAgain } from "./calibrations.ts";
import { checkNumbers, type Job, noteTimedSteps } from "./job.ts";
import { observeOn } from "./observe.ts";
import { hasSameBits } from "./same_bits.ts";
import { checkServing, timeServing } from "./serving/serve.ts";
import { type RunToTime, timeRun } from "./time_run.ts";
import { checkTimedSteps } from "./timed_steps.ts";

export interface RunToRepeat extends RunToTime {
  readonly pool: RankPool;
  /** What the first run's check found right. */
  readonly checked: readonly ObservedBuffer[];
}

/**
 * Peaks are looked at after the steps only: before them is after those of the run before. Numbers need no second
 * check where all that a step shows has the bits of the checked one; where it has not, they are checked again.
 *
 * @throws NumericsError when the result is wrong
 */
export async function repeatRun(job: Job, { checked, ...run }: RunToRepeat): Promise<void> {
  const { program, placement, options, record, note } = job;
  const { pool, kept } = run;
  if (program.phases !== undefined) {
    await repeatServing(job, run);
    return;
  }
  options.onProgress({ phase: "check" });
  const observe = observeOn(pool, program, placement, options);
  const { observed } = await observe(program);
  const right = hasSameBits(observed, checked) ? observed : await checkNumbers(job, observe);
  const load = await timeRun(run, options);
  noteTimedSteps(job, checkTimedSteps(right, await pool.askAll("digests", {}), kept.count));
  note({
    runs: [...record().runs, load === undefined ? {} : { load }],
    calibration: await lookedAtAgain(pool, record().calibration),
  });
}

/** Numbers are checked again: processes that were opened anew have tuned kernels from the first step on. */
async function repeatServing(job: Job, run: Omit<RunToRepeat, "checked">): Promise<void> {
  const { record, note } = job;
  await checkServing(job, run.pool);
  const load = await timeServing(job, run);
  note({
    runs: [...record().runs, load === undefined ? {} : { load }],
    calibration: await lookedAtAgain(run.pool, record().calibration),
  });
}
