// The main job: a plan becomes a program, runs on real adapters, is checked, timed, and held against its
// claims.

import { setImmediate } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { placeRanks } from "../gpu/placement.ts";
import { groupKernels } from "../measure/kernel_groups.ts";
import type { Plan } from "../plan/plan.ts";
import { estimate } from "../program/estimate.ts";
import { lower } from "../program/lower.ts";
import type { Link } from "../program/simulate/link_cost.ts";
import { assembleResult, type RunRecord } from "../report/assemble_result.ts";
import type { RunResult } from "../report/result.ts";
import { readVersions } from "../report/versions.ts";
import {
  openRanks,
  type OpenRanksOptions,
  type Pinning,
  type RankPool,
} from "../runtime/coordinator.ts";
import { createExclusiveTurns, type ExclusiveTurns } from "./exclusive_turns.ts";
import { projectionOf } from "./projection.ts";
import { calibrationsOf, memoryOf, rankAdapters } from "./record.ts";
import { measureOverlapEffect, overlaps } from "./overlap_effect.ts";
import { sample, warmUp } from "./sampling.ts";
import { createStepSamples, type StepSamples } from "./step_samples.ts";
import { type Findings, kernelChoices, readFindings, tunePool } from "./tuning.ts";
import { separationOf } from "./separate_adapters.ts";
import { observeOn } from "./observe.ts";
import { checkTimedSteps } from "./timed_steps.ts";
import { verify, type CheckMethod } from "./verify.ts";

export interface RunOptions {
  /** Adapter id for every rank. Default: hardware if there is any, else the best software adapter. */
  readonly adapter?: string;
  /** `rank=id` pairs, separated by commas. */
  readonly placement?: string;
  /** Rank i runs on core i only, where the machine has as many (Linux). Default: anywhere. */
  readonly pin?: Pinning;
  /** Emulated between all ranks. Default: messages are as fast as the machine. */
  readonly link?: Link;
  /** Steps that are run and not timed. Default: two, and as many as fit into a second. */
  readonly warmup?: number;
  /** Exact number of timed steps. Default: as many as `budgetMs` allows, at least 5. */
  readonly samples?: number;
  /** Default 5,000. */
  readonly budgetMs?: number;
  /** Default `auto`: the f64 reference where that takes seconds, else the unsharded run. */
  readonly check?: CheckMethod;
  /** Also, or instead of timing steps, project the step from exclusive timing. */
  readonly project?: "also" | "only";
  /** Stop after the check: no calibration, nothing is timed. */
  readonly numericsOnly?: boolean;
  /**
   * How long each rank may try forms of its kernels, in ms; what was found out earlier is used. False: every
   * kernel takes the form expected to be fastest. Default 2,000, and false where nothing is timed.
   */
  readonly tune?: number | false;
  /** Measure peaks even where a kept calibration still holds. */
  readonly recalibrate?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the run; what was measured until then is kept. */
  readonly signal?: AbortSignal;
}

export interface Progress {
  readonly phase:
    | "adapters"
    | "ranks"
    | "tune"
    | "check"
    | "calibrate"
    | "warm-up"
    | "measure"
    | "overlap"
    | "project";
  readonly done?: number;
  readonly total?: number;
}

/** Long enough for the kernels that matter on a GPU; software adapters, slow to compile, take some runs. */
const defaultTuningMs = 2000;

export type RunPlan = (plan: Plan, options?: RunOptions) => Promise<RunResult>;

/**
 * Runs a plan that `checkPlan` finds no error in.
 *
 * @throws EnvironmentError when no rank could start; what goes wrong later is in the result's `outcome`
 * @throws NumericsError when the result is wrong; nothing was timed then
 */
export const runPlan: RunPlan = async (plan, options = {}) => {
  const { onProgress = () => undefined, signal } = options;
  const date = new Date().toISOString();
  const program = lower(plan);

  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters();
  const pause = pauseUntil(signal);
  await pause();
  const placement = placeRanks(program.ranks.length, adapters, { ...options, refused });

  onProgress({ phase: "ranks", total: placement.length });
  const groups = groupKernels(
    program,
    placement.map(({ choice }) => choice.id),
  );
  const samples = createStepSamples(program, groups);
  let record: Omit<RunRecord, "outcome" | "samples"> = {
    date,
    versions: readVersions(),
    adapters: rankAdapters(placement, options.pin),
    ...(options.link === undefined ? {} : { link: options.link }),
    notes: [],
    calibration: [],
    kernels: [],
    estimate: estimate(program, plan),
    memory: [],
  };
  const { tune = options.numericsOnly === true ? false : defaultTuningMs } = options;
  const known: Findings = tune === false ? new Map() : await readFindings(placement);
  const open: OpenRanksOptions = {
    ...(options.pin === undefined ? {} : { pinToCores: options.pin }),
    ...(options.link === undefined ? {} : { link: options.link }),
    ...(signal === undefined ? {} : { signal }),
  };
  const pool = await openRanks(program, placement, { ...open, known });
  const finish = (outcome: RunResult["outcome"]): RunResult =>
    assembleResult(plan, program, { ...record, samples: samples.taken(), outcome });
  try {
    record = { ...record, notes: pool.notes, memory: memoryOf(pool) };
    record = { ...record, kernels: kernelChoices(pool, known, new Map()) };
    if (tune !== false) {
      onProgress({ phase: "tune" });
      const learnt = await tunePool(pool, placement, tune, (done) =>
        onProgress({ phase: "tune", done }),
      );
      record = { ...record, kernels: kernelChoices(pool, known, learnt) };
    }
    onProgress({ phase: "check" });
    const observe = observeOn(pool, program, placement, signal);
    const method = options.check ?? "auto";
    const { outcome, observed } = await verify(plan, program, method, observe, pause);
    record = { ...record, check: outcome };
    const alone = options.project === undefined ? undefined : createExclusiveTurns(pool);
    if (options.numericsOnly !== true && options.project !== "only") {
      const separation = await separationOf(pool, placement, options.recalibrate !== true);
      if (separation !== undefined) {
        const proven = rankAdapters(placement, options.pin, separation);
        record = { ...record, separation, adapters: proven };
      }
      onProgress({ phase: "calibrate" });
      record = {
        ...record,
        calibration: await calibrationsOf(
          pool,
          // What was kept holds for all cores.
          options.recalibrate === true || (options.pin ?? false) !== false ? "anew" : "recall",
        ),
      };
      await measure(pool, options, samples, alone);
      if (overlaps(program)) {
        onProgress({ phase: "overlap" });
        const learnt = tune === false ? known : await readFindings(placement);
        const overlapEffect = await measureOverlapEffect(plan, program, pool, placement, {
          ...open,
          known: learnt,
        });
        if (overlapEffect !== undefined) record = { ...record, overlapEffect };
      }
    }
    if (alone !== undefined) {
      if (options.project === "only") {
        onProgress({ phase: "warm-up" });
        await warmUp(async () => pool.step(), options.warmup);
      }
      onProgress({ phase: "project" });
      const from = await alone.finish();
      if (from !== undefined) {
        record = { ...record, projection: projectionOf(program, record.estimate, from) };
      }
    }
    if (options.numericsOnly !== true) {
      const timed = checkTimedSteps(observed, await pool.digests(), samples.taken().length);
      record = { ...record, check: { ...outcome, timed } };
    }
    record = { ...record, memory: memoryOf(pool) };
    return finish({ state: "complete" });
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    if (error.code === "interrupted") return finish({ state: "interrupted" });
    return finish({ state: "fault", code: error.code, message: error.message, hint: error.hint });
  } finally {
    await pool.close();
  }
};

/** Lets signals and messages in; throws once the run is to end. */
const pauseUntil = (signal: AbortSignal | undefined) => async (): Promise<void> => {
  await setImmediate();
  if (signal?.aborted !== true) return;
  throw new EnvironmentError("interrupted", "the run was interrupted", "run it again");
};

const measure = async (
  pool: RankPool,
  options: RunOptions,
  kept: StepSamples,
  alone: ExclusiveTurns | undefined,
): Promise<void> => {
  const { onProgress = () => undefined, warmup, samples, budgetMs = 5000 } = options;
  const total = samples === undefined ? {} : { total: samples };
  onProgress({ phase: "warm-up", ...(warmup === undefined ? {} : { total: warmup }) });
  await sample(
    () => pool.step(),
    {
      ...(warmup === undefined ? {} : { warmup }),
      budgetMs,
      ...(samples === undefined ? {} : { samples }),
      ...(alone === undefined ? {} : { between: async (share) => alone.upTo(share) }),
    },
    (trace, done) => {
      kept.keep(trace);
      onProgress({ phase: "measure", done, ...total });
    },
  );
};
