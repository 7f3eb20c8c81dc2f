// The plans that a search found, each in turns with the given one on this machine: both are checked before they are timed.

import { discoverAdapters } from "../gpu/discover.ts";
import { placeRanks } from "../gpu/placement.ts";
import { median } from "../measure/statistics.ts";
import { pairedRatio, type PairedRatio } from "../measure/paired_ratio.ts";
import type { Plan } from "../plan/plan.ts";
import { seededRandom } from "../seeded_random.ts";
import { shuffled } from "../shuffled.ts";
import {
  checkTimed,
  type OpenChecked,
  openChecked,
  type OpenCheckedOptions,
} from "./open_checked.ts";
import { rankAdapters } from "./record.ts";
import type { RankAdapter } from "../result/result.ts";

export interface SearchRunOptions extends OpenCheckedOptions {
  /** ms of steps of each plan, with those of the given one between them. Default 5,000. */
  readonly budgetMs?: number;
}

export interface SearchRun {
  /** Median, ms. */
  readonly givenMs: number;
  readonly foundMs: number;
  /** Given ÷ found: above 1 where the found one is faster. */
  readonly speedUp: PairedRatio;
}

export interface SearchRuns {
  readonly adapters: readonly RankAdapter[];
  /** One for each plan, in their order. */
  readonly runs: readonly SearchRun[];
}

const least = 7;
const most = 100;

/**
 * @throws EnvironmentError where the machine is in the way
 * @throws NumericsError where a plan computes something else than it means
 */
export async function searchRuns(
  given: Plan,
  found: readonly Plan[],
  options: SearchRunOptions = {},
): Promise<SearchRuns> {
  const { adapters, refused } = await discoverAdapters();
  const ranks = Math.max(given.hardware.gpus, ...found.map(({ hardware }) => hardware.gpus));
  const placed = placeRanks(ranks, adapters, { ...options, refused });
  const open = (plan: Plan): Promise<OpenChecked> =>
    openChecked(plan, placed.slice(0, plan.hardware.gpus), options);
  const own = await open(given);
  try {
    const runs: SearchRun[] = [];
    let steps = 0;
    for (const plan of found) {
      const other = await open(plan);
      try {
        const pairs = await takeTurns(own, other, options);
        steps += pairs.length;
        await checkTimed(own, steps);
        await checkTimed(other, pairs.length);
        runs.push({
          givenMs: median(pairs.map((pair) => pair.own)),
          foundMs: median(pairs.map(({ reference }) => reference)),
          speedUp: pairedRatio(pairs),
        });
      } finally {
        await other.pool.close();
      }
    }
    return { adapters: rankAdapters(placed, options.pin), runs };
  } finally {
    await own.pool.close();
  }
}

/** Steps of both, one after the other; which comes first is drawn each time. */
async function takeTurns(
  given: OpenChecked,
  found: OpenChecked,
  { budgetMs = 5000, onProgress }: SearchRunOptions,
): Promise<{ readonly own: number; readonly reference: number }[]> {
  onProgress?.({ phase: "warm-up" });
  for (const { pool } of [given, found]) await pool.step();
  const random = seededRandom(1);
  const pairs: { own: number; reference: number }[] = [];
  const begun = performance.now();
  while (pairs.length < most) {
    if (pairs.length >= least && performance.now() - begun > budgetMs) break;
    onProgress?.({ phase: "measure", done: pairs.length });
    const pair = { own: 0, reference: 0 };
    for (const at of shuffled(2, random)) {
      if (at === 0) pair.own = (await given.pool.step()).wallMs;
      else pair.reference = (await found.pool.step()).wallMs;
    }
    pairs.push(pair);
  }
  return pairs;
}
