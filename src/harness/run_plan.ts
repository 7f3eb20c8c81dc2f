// The main job: a plan becomes a program, runs on real adapters, is checked, timed, and held against its
// claims.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import type { AdapterReport } from "../gpu/adapter.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { namedAdapters, placeRanks } from "../gpu/placement.ts";
import { inTurns } from "../in_slices.ts";
import { groupKernels } from "../measure/kernel_groups.ts";
import type { StepSample } from "../measure/sample.ts";
import type { Plan } from "../plan/plan.ts";
import { estimate } from "../program/estimate.ts";
import { lower, stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { resultInSlices } from "../result/assemble_result.ts";
import type { RunResult } from "../result/result.ts";
import { programHash } from "../result/program_hash.ts";
import { readVersions } from "../result/versions.ts";
import { openRanks, type OpenRanksOptions } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import { readCpuTimes } from "./cpu_times.ts";
import { costOf, exceededBy } from "./fit/cost.ts";
import { machineOf } from "./fit/machine.ts";
import { firstRun, isTimed } from "./first_run.ts";
import type { GrowingRecord, Job } from "./job.ts";
import { outcomeOf } from "./outcome.ts";
import { rankAdapters } from "./record.ts";
import { withoutOverlap } from "./overlap_effect.ts";
import { createPhaseClock, type PhaseClock } from "./phase_clock.ts";
import { repeatRun } from "./repeat_run.ts";
import { calibratedAgain, isPossible } from "./possible_figures.ts";
import type { Progress, RunOptions } from "./run_options.ts";
import { createStepSamples, typicalTrace } from "./step_samples.ts";
import { type Findings, readFindings } from "./tuning.ts";

/** Nobody expects a run to take longer without being told. */
const longRunMs = 300_000;

/** Long enough for the kernels that matter on a GPU; software adapters, slow to compile, take some runs. */
const defaultTuningMs = 2000;

export type RunPlan = (plan: Plan, options?: RunOptions) => Promise<RunResult>;

/**
 * Runs a plan of which `canRun` says so; what no layer runs would be left out without a word.
 *
 * @throws EnvironmentError when no rank could start; what goes wrong later is in the result's `outcome`
 * @throws NumericsError when the result is wrong; nothing was timed then
 */
export const runPlan: RunPlan = async (plan, options = {}) => {
  const { runs = 1, tune = options.numericsOnly === true ? false : defaultTuningMs } = options;
  let run = 0;
  const clock = createPhaseClock();
  const onProgress = progressOf(options, clock, () => run);
  const date = new Date().toISOString();
  let begun = readCpuTimes();
  const program = lower(plan);

  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const pause = pauseUntil(options.signal);
  await pause();
  const placement = placeRanks(program.ranks.length, adapters, { ...options, refused });
  tellTooLarge(plan, options, (ranks) => placeRanks(ranks, adapters, { ...options, refused }));
  const groups = groupKernels(
    stepOf(program),
    placement.map(({ choice }) => choice.id),
  );
  let record: GrowingRecord = {
    ...emptyRecord(placement, options),
    date,
    programHash: programHash(program),
    estimate: estimate(program, plan),
  };
  const job: Job = {
    plan,
    program,
    placement,
    options: { ...options, onProgress },
    pause,
    record: () => record,
    note: (more) => {
      record = { ...record, ...more };
    },
  };
  const twin = isTimed(job) ? withoutOverlap(plan, program) : undefined;
  const open = openOptions(options, twin);
  let kept = createStepSamples(stepOf(program), groups);
  const allKept = [kept];
  let pool: RankPool | undefined;
  /** Ranks have nothing to do any more, and take memory and cores from others. */
  const finish = async (outcome: RunResult["outcome"]): Promise<RunResult> => {
    const showProgress = (): void => onProgress({ phase: "analyze" });
    showProgress();
    await pool?.close();
    const found: (readonly StepSample[])[] = [];
    for (const each of allKept) found.push(await inTurns(each.taken(), showProgress));
    const samples = found.flat();
    const timed = { samples, ...typicalTrace(allKept, samples) };
    const whole = { ...record, ...timed, phases: clock.times(), outcome };
    return inTurns(resultInSlices(plan, program, whole), showProgress);
  };

  onProgress({ phase: "ranks", total: placement.length });
  const remembered: Findings = tune === false ? new Map() : await readFindings(placement);
  pool = await openRanks(program, placement, { ...open, known: remembered });
  try {
    const first = { pool, open, twin, known: remembered, tune, kept, begun };
    const { checked, known } = await firstRun(job, first);
    for (let next = 1; isTimed(job) && next < runs; next += 1) {
      run = next;
      begun = readCpuTimes();
      await pool.close();
      onProgress({ phase: "ranks", total: placement.length });
      pool = await openRanks(program, placement, { ...open, known });
      kept = createStepSamples(stepOf(program), groups, run);
      allKept.push(kept);
      await repeatRun(job, { pool, kept, begun, checked });
    }
    const result = await finish({ state: "complete" });
    if (isPossible(result)) return result;
    pool = await openRanks(program, placement, { ...open, known });
    return await calibratedAgain(job, pool, finish);
  } catch (error) {
    return await finish(outcomeOf(error));
  } finally {
    await pool?.close();
  }
};

/** @param run which of several is under way, from 0 */
function progressOf({ runs = 1, onProgress }: RunOptions, clock: PhaseClock, run: () => number) {
  return (progress: Progress): void => {
    clock.turnTo(progress.phase);
    onProgress?.(runs === 1 ? progress : { ...progress, run: run() + 1, runs });
  };
}

/** More ranks than cores are slow, and no reason to warn. */
function tellTooLarge(
  plan: Plan,
  { onTooLarge, budgetMs }: RunOptions,
  place: (ranks: number) => readonly AdapterReport[],
): void {
  if (onTooLarge === undefined) return;
  const { gpus } = plan.hardware;
  const machine = machineOf((ranks) => place(Math.max(ranks, gpus)).slice(0, ranks));
  const exceeded = exceededBy(costOf(plan, machine, budgetMs), machine, longRunMs).filter(
    ({ limit }) => limit !== "ranks",
  );
  if (exceeded.length > 0) onTooLarge(exceeded);
}

function openOptions(
  { pin, link, given, signal }: RunOptions,
  twin: Program | undefined,
): OpenRanksOptions {
  return {
    ...(twin === undefined ? {} : { twins: [twin] }),
    ...(pin === undefined ? {} : { pinToCores: pin }),
    ...(link === undefined ? {} : { link }),
    ...(given === undefined ? {} : { given }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function emptyRecord(
  placement: readonly AdapterReport[],
  { pin, link, scaled, written }: RunOptions,
): Omit<GrowingRecord, "date" | "estimate"> {
  return {
    versions: readVersions(),
    adapters: rankAdapters(placement, pin),
    ...(link === undefined ? {} : { link }),
    ...(scaled === undefined ? {} : { scaled }),
    ...(written === undefined ? {} : { written }),
    notes: [],
    runs: [],
    calibration: [],
    kernels: [],
    memory: [],
  };
}

/** Lets signals and messages in; throws once the run is to end. */
function pauseUntil(signal: AbortSignal | undefined) {
  return async (): Promise<void> => {
    await setImmediate();
    if (signal?.aborted !== true) return;
    throw new EnvironmentError("interrupted", "the run was interrupted", "run it again");
  };
}
