// The timed steps of one opening of the ranks, and what others did on the machine meanwhile.

import { loadBetween, type CpuTimes, type LoadOfRun } from "../measure/machine_load.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import { readCpuTimes } from "./cpu_times.ts";
import type { ExclusiveTurns } from "./exclusive_turns.ts";
import { createForecast } from "./forecast.ts";
import type { OverlapRounds } from "./overlap_effect.ts";
import type { RunOptions } from "./run_options.ts";
import { sample } from "./sampling.ts";
import type { StepSamples } from "./step_samples.ts";

export interface RunToTime {
  readonly pool: Pick<RankPool, "steps">;
  readonly kept: StepSamples;
  /** When the run began. */
  readonly begun: CpuTimes | undefined;
  /** Turns that are taken between the steps. */
  readonly alone?: ExclusiveTurns | undefined;
  /** With the twin, the same. */
  readonly rounds?: OverlapRounds | undefined;
}

/** Warms up first. Undefined where the system does not tell who had its cores. */
export async function timeRun(
  { pool, kept, begun, alone, rounds }: RunToTime,
  options: Pick<RunOptions, "onProgress" | "warmup" | "samples" | "budgetMs">,
): Promise<LoadOfRun | undefined> {
  const { onProgress = () => undefined, warmup, samples, budgetMs = 5000 } = options;
  const total = samples === undefined ? {} : { total: samples };
  const turns = rounds?.takesTurns === true ? rounds : undefined;
  const between = async (share: number): Promise<void> => {
    await alone?.upTo(share);
    if (turns === undefined) return;
    onProgress({ phase: "overlap" });
    await turns.before();
    onMeasuring(kept.count);
  };
  const far = createForecast({ budgetMs, samples });
  const onMeasuring = (done: number): void =>
    onProgress({ phase: "measure", done, ...total, ...far.at(done) });
  const from = readCpuTimes();
  onProgress({ phase: "warm-up", ...(warmup === undefined ? {} : { total: warmup }) });
  await sample(
    async (count) => pool.steps(count),
    {
      ...(warmup === undefined ? {} : { warmup }),
      ...(turns === undefined ? {} : { warmMs: turns.warmMs }),
      budgetMs,
      onWarm: () => {
        far.begin();
        onMeasuring(0);
      },
      ...(samples === undefined ? {} : { samples }),
      ...(alone === undefined && turns === undefined ? {} : { between }),
    },
    (trace, done) => {
      turns?.timed(trace);
      kept.keep(trace);
      far.took(trace.wallMs);
      if (far.isDue()) onMeasuring(done);
    },
  );
  const to = readCpuTimes();
  if (begun === undefined || from === undefined || to === undefined) return undefined;
  const [before, during] = [loadBetween(begun, from), loadBetween(from, to)];
  return before === undefined || during === undefined ? undefined : { before, during };
}
