// Rounds over all requests of a plan that serves. The first warms the ranks up and says what every later one must leave:
// the same steps on caches that were emptied give results of the same digests.

import { isDeepStrictEqual } from "node:util";
import type { ServedRound } from "../../measure/serving.ts";
import { NumericsError } from "../../numerics_error.ts";
import type { Plan } from "../../plan/plan.ts";
import { pagesOf } from "../../plan/serving.ts";
import type { Program } from "../../program/program.ts";
import { createSampledTokens } from "../../program/serving/sampled_tokens.ts";
import { schedulerOptionsOf } from "../../program/serving/scheduler_options.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";
import type { RankDigests } from "../../runtime/observation.ts";
import type { RunOptions } from "../run_options.ts";
import type { StepSamples } from "../step_samples.ts";
import { type OnStep, type Round, serveAgain, serveLive } from "./serve_round.ts";

export interface ServedRun {
  readonly rounds: readonly ServedRound[];
  /** Steps that ran, and left what they must. */
  readonly steps: number;
}

/** More would only grow the result file. */
const mostRounds = 200;

/** @param kept of decode steps */
export async function timeServed(
  { plan, program }: { readonly plan: Plan; readonly program: Pick<Program, "phases"> },
  pool: Pick<RankPool, "serve" | "askAll">,
  kept: StepSamples,
  run: number,
  options: Pick<RunOptions, "onProgress" | "samples" | "budgetMs">,
): Promise<ServedRun> {
  const { onProgress = () => undefined, samples, budgetMs = 5000 } = options;
  const scheduling = schedulerOptionsOf(plan);
  const nothing: OnStep = () => undefined;
  const warm = async (): Promise<Round> => {
    onProgress({ phase: "warm-up" });
    await pool.askAll("emptyCaches", {});
    return serveLive(pool, scheduling, nothing, createSampledTokens(plan, program));
  };
  const digestsOf = createDigestSteps(pool);
  await digestsOf();
  let first = await warm();
  // Which requests meet in a step depends on how long steps take, and the first take longer.
  if (plan.workload.serving?.scheduler.requestsPerSecond !== undefined) {
    await digestsOf();
    first = await warm();
  }
  const expected = await digestsOf();
  const rounds: ServedRound[] = [];
  const begun = performance.now();
  const total = samples === undefined ? {} : { total: samples };
  const isOver = (): boolean =>
    rounds.length >= mostRounds ||
    (rounds.length > 0 &&
      (samples === undefined ? performance.now() - begun > budgetMs : kept.count >= samples));
  while (!isOver()) {
    await pool.askAll("emptyCaches", {});
    const { steps: _, ...round } = await serveAgain(pool, scheduling, first, (step, trace) => {
      if (step.phase !== "decode") return;
      kept.keep({ ...trace, step: kept.count });
      onProgress({ phase: "measure", done: kept.count, ...total });
    });
    const digests = await digestsOf();
    if (!isDeepStrictEqual(digests, expected)) {
      throw new NumericsError(
        `round ${rounds.length + 1} left other results than the one before it, of the same steps`,
        Infinity,
        0,
      );
    }
    rounds.push({ ...round, run, pages: pagesIn(plan) });
  }
  return { rounds, steps: first.steps.length * (rounds.length + 1) };
}

function pagesIn({ workload }: Plan): number {
  return workload.serving === undefined
    ? 0
    : workload.batch * pagesOf(workload.serving, workload.sequence).pages;
}

/** What each result's digest sums grew by since it was last asked. */
export function createDigestSteps(pool: Pick<RankPool, "askAll">) {
  let before: readonly RankDigests[] = [];
  return async (): Promise<number[][]> => {
    const now = await pool.askAll("digests", {});
    const grown = now.flatMap(({ digests }, rank) =>
      digests.map(({ sums }, i) => {
        const old = before[rank]?.digests[i]?.sums ?? [0, 0];
        return sums.map((sum, half) => (sum - (old[half] ?? 0)) >>> 0);
      }),
    );
    before = now;
    return grown;
  };
}
