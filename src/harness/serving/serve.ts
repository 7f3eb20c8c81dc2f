// A run of a plan that serves: what differs from steps that are all alike.

import { loadBetween, type CpuTimes, type LoadOfRun } from "../../measure/machine_load.ts";
import { createScheduler } from "../../program/serving/scheduler.ts";
import { schedulerOptionsOf } from "../../program/serving/scheduler_options.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import type { Plan } from "../../plan/plan.ts";
import { openRanks, type OpenRanksOptions } from "../../runtime/coordinator.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";
import { openSource } from "../../data/open_source.ts";
import { readCpuTimes } from "../cpu_times.ts";
import { type Job, noteTimedSteps } from "../job.ts";
import type { StepSamples } from "../step_samples.ts";
import { checkServed } from "./check_served.ts";
import { curveProgram, refuseContexts, takeCurve } from "./decode_curve.ts";
import { timeServed } from "./time_served.ts";

/** @throws NumericsError when a result is wrong */
export async function checkServing(job: Job, pool: RankPool): Promise<void> {
  const { plan, program, placement, options, pause, record, note } = job;
  options.onProgress({ phase: "check" });
  const outcome = await checkServed({
    plan,
    program,
    ranks: pool,
    method: options.check ?? "auto",
    source: await openSource(program, options.given),
    pause,
    async withRanks(other, work) {
      const { signal, given } = options;
      const own = await openRanks(other, placement, {
        ...(signal === undefined ? {} : { signal }),
        ...(given === undefined ? {} : { given }),
      });
      try {
        return await work(own);
      } finally {
        await own.close();
      }
    },
  });
  const timed = record().check?.timed;
  note({ check: { ...outcome, ...(timed === undefined ? {} : { timed }) } });
}

export interface ServingToTime {
  readonly pool: RankPool;
  /** Of decode steps. */
  readonly kept: StepSamples;
  readonly begun: CpuTimes | undefined;
}

/** What others did on the machine meanwhile; undefined where the system does not tell. */
export async function timeServing(
  job: Job,
  { pool, kept, begun }: ServingToTime,
): Promise<LoadOfRun | undefined> {
  const { plan, program, options, record, note } = job;
  const from = readCpuTimes();
  const { runs } = record();
  const { rounds, steps } = await timeServed({ plan, program }, pool, kept, runs.length, options);
  const to = readCpuTimes();
  note({ served: [...(record().served ?? []), ...rounds] });
  noteTimedSteps(job, { steps, microBatches: program.microBatches });
  if (begun === undefined || from === undefined || to === undefined) return undefined;
  const [before, during] = [loadBetween(begun, from), loadBetween(from, to)];
  return before === undefined || during === undefined ? undefined : { before, during };
}

/** Decode at the contexts that were asked for, on ranks with caches of their own. */
export async function noteContexts(job: Job, open: OpenRanksOptions): Promise<void> {
  const { plan, placement, options, note } = job;
  const { contexts = [] } = options;
  if (contexts.length === 0) return;
  refuseContexts(plan, contexts);
  const curve = curveProgram(plan, contexts);
  const ranks = await openRanks(curve.program, placement, open);
  try {
    note({ decodeCurve: await takeCurve(curve, ranks, contexts, options) });
  } finally {
    await ranks.close();
  }
}

/** A step of each phase, to tune kernels on. */
export function stepOfEachPhase(plan: Plan): ServedStep[] {
  const { arrivals, ...options } = schedulerOptionsOf(plan);
  const scheduler = createScheduler({ ...options, arrivals: arrivals.map(() => 0) });
  const found: ServedStep[] = [];
  while (found.length < 2) {
    const next = scheduler.next(0);
    if (next === undefined || !("step" in next)) break;
    if (found.every(({ phase }) => phase !== next.step.phase)) found.push(next.step);
  }
  return found;
}
