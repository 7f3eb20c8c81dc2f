// Samples of steps of plans that are open at once and take turns.

import { median } from "../src/measure/statistics.ts";
import type { RankPool } from "../src/runtime/rank_pool.ts";

/** CPU time of the process that computes, over all its threads, and wall time, in ms. */
export interface StepSample {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** A step of one rank. */
export async function stepSample(pool: RankPool): Promise<StepSample> {
  const { ranks, wallMs } = await pool.step();
  return { wallMs, cpuMs: ranks[0]?.cpuMs ?? Number.NaN };
}

/** Of CPU time: the median of what two took within a round. */
export function cpuRatio(of: readonly StepSample[], to: readonly StepSample[]): number {
  return median(of.map(({ cpuMs }, round) => cpuMs / (to[round]?.cpuMs ?? Number.NaN)));
}
