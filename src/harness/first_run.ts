// The first opening of the ranks: kernels are tuned, numbers checked and peaks measured; then steps are timed, and
// what is to be compared with them.

import type { CpuTimes } from "../measure/machine_load.ts";
import type { OpenRanksOptions } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";
import type { Program } from "../program/program.ts";
import { calibrationsOf, lookedAtAgain } from "./calibrations.ts";
import { createExclusiveTurns, type ExclusiveTurns } from "./exclusive_turns.ts";
import { checkNumbers, type Job, noteTimedSteps } from "./job.ts";
import { observeOn } from "./observe.ts";
import { openBeside, type TwinOpening } from "./open_beside.ts";
import { openOverlapRounds } from "./overlap_effect.ts";
import { projectionOf } from "./projection.ts";
import { memoryOf, notesOnGiven, rankAdapters } from "./record.ts";
import { usualStep } from "./serving/decode_curve.ts";
import { checkServing, noteContexts, stepOfEachPhase, timeServing } from "./serving/serve.ts";
import { warmUp } from "./sampling.ts";
import { separationOf } from "./separate_adapters.ts";
import type { StepSamples } from "./step_samples.ts";
import { timeRun } from "./time_run.ts";
import { checkTimedSteps } from "./timed_steps.ts";
import { type Findings, recordKernelChoices, mergeFindings, tunePool } from "./tuning.ts";

export interface FirstRun {
  readonly pool: RankPool;
  /** Without overlap, where there is any: `pool` was opened for it. */
  readonly twin: Program | undefined;
  /** How ranks are opened beside it. */
  readonly open: OpenRanksOptions;
  /** What `pool` was opened with of earlier tuning. */
  readonly known: Findings;
  /** ms of an adapter. */
  readonly tune: number | false;
  readonly kept: StepSamples;
  readonly begun: CpuTimes | undefined;
}

export interface AfterFirstRun {
  /** What a checked step showed. */
  readonly checked: readonly ObservedBuffer[];
  /** What tuning knows now. */
  readonly known: Findings;
}

/** Whether steps are timed at all. */
export function isTimed({ options }: Job): boolean {
  return options.numericsOnly !== true && options.project !== "only";
}

/** @throws NumericsError when the result is wrong; nothing was timed then */
export async function firstRun(job: Job, first: FirstRun): Promise<AfterFirstRun> {
  const { program, placement, options, note } = job;
  const { pool, twin, kept } = first;
  note({
    notes: [...notesOnGiven(options.given), ...pool.notes],
    ...(pool.clockUncertaintyMs > 0 ? { clockUncertaintyMs: pool.clockUncertaintyMs } : {}),
    memory: memoryOf(pool),
  });
  const known = await tuned(job, first);
  const isServing = program.phases !== undefined;
  if (isServing) await checkServing(job, pool);
  const opening = openBeside(
    observeOn(pool, program, placement, options),
    program,
    async () => twin !== undefined && pool.openTwin(twin, known),
  );
  const checked = isServing ? [] : await checkNumbers(job, opening.observe);
  await opening.settled();
  const alone =
    options.project === undefined
      ? undefined
      : createExclusiveTurns(pool, isServing ? usualStep(job.plan) : undefined);
  if (isTimed(job)) await measure(job, first, opening, alone);
  if (isServing && isTimed(job)) await noteContexts(job, { ...first.open, known });
  if (alone !== undefined) await project(job, pool, alone);
  if (options.numericsOnly !== true && !isServing) {
    noteTimedSteps(job, checkTimedSteps(checked, await pool.askAll("digests", {}), kept.count));
  }
  note({ memory: memoryOf(pool) });
  return { checked, known };
}

async function tuned(job: Job, { pool, known, tune }: FirstRun): Promise<Findings> {
  const { plan, program, placement, options, note } = job;
  note({ kernels: recordKernelChoices(pool, known, new Map()) });
  if (tune === false) return known;
  options.onProgress({ phase: "tune" });
  const served = program.phases === undefined ? undefined : stepOfEachPhase(plan);
  const onFound = (found: Findings): void => {
    options.onProgress({ phase: "tune", done: [...found.values()].flat().length });
    // An interruption leaves what was found out until then.
    note({ kernels: recordKernelChoices(pool, known, found) });
  };
  const learnt = await tunePool(pool, placement, tune, onFound, served);
  note({ kernels: recordKernelChoices(pool, known, learnt) });
  return mergeFindings(known, learnt);
}

async function measure(
  job: Job,
  { pool, twin, kept, begun }: FirstRun,
  opening: TwinOpening,
  alone: ExclusiveTurns | undefined,
): Promise<void> {
  const { program, placement, options, note } = job;
  const { pin, onProgress } = options;
  const separation = await separationOf(pool, placement, options.recalibrate !== true);
  if (separation !== undefined) {
    note({ separation, adapters: rankAdapters(placement, pin, separation) });
  }
  onProgress({ phase: "calibrate" });
  // What was kept holds for all cores.
  const anew = options.recalibrate === true || (pin ?? false) !== false;
  const calibration = await calibrationsOf(pool, anew ? "anew" : "recall");
  note({ calibration });
  if (twin !== undefined) onProgress({ phase: "overlap" });
  const rounds =
    twin !== undefined && (await opening.opened())
      ? await openOverlapRounds(program, twin, pool, pin)
      : undefined;
  const load =
    program.phases === undefined
      ? await timeRun({ pool, kept, begun, alone, rounds }, options)
      : await timeServing(job, { pool, kept, begun });
  note({ runs: [load === undefined ? {} : { load }] });
  note({ calibration: await lookedAtAgain(pool, calibration) });
  if (rounds === undefined) return;
  onProgress({ phase: "overlap" });
  const overlapEffect = await rounds.finish();
  if (overlapEffect !== undefined) note({ overlapEffect });
}

async function project(
  { plan, program, options, record, note }: Job,
  pool: RankPool,
  alone: ExclusiveTurns,
): Promise<void> {
  if (options.project === "only") {
    options.onProgress({ phase: "warm-up" });
    const served = program.phases === undefined ? undefined : usualStep(plan);
    await warmUp(async () => (served === undefined ? pool.step() : pool.serve([served])), options);
  }
  options.onProgress({ phase: "project" });
  const from = await alone.finish();
  if (from !== undefined) note({ projection: projectionOf(program, record().estimate, from) });
}
