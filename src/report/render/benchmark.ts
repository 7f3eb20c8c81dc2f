// What a gate measured and counted, as github-action-benchmark reads it (tool "customSmallerIsBetter"): a list of entries
// of which less is better, which the action keeps and draws from commit to commit.

import type { PairedRatio } from "../../measure/paired_ratio.ts";
import type { Counted } from "../../result/gate.ts";

export interface BenchmarkEntry {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Half the interval's width, with its sign. */
  readonly range?: string;
  readonly extra?: string;
}

/** Time only beside a reference: runners differ, so that times of two jobs tell nothing. */
export function benchmarkEntries(
  plan: string,
  { wireBytes, memory }: Pick<Counted, "wireBytes" | "memory">,
  time: PairedRatio | undefined,
): BenchmarkEntry[] {
  const sent = wireBytes.reduce((sum, rank) => sum + rank.sent, 0);
  return [
    { name: `${plan}: bytes sent in a step`, unit: "B", value: sent },
    { name: `${plan}: memory of the fullest rank`, unit: "B", value: Math.max(0, ...memory) },
    ...(time === undefined ? [] : [timeEntry(plan, time)]),
  ];
}

function timeEntry(plan: string, { ratio, interval, pairs }: PairedRatio): BenchmarkEntry {
  return {
    name: `${plan}: step time ÷ the reference's`,
    unit: "×",
    value: ratio,
    ...(interval === undefined
      ? {}
      : { range: `± ${((interval[1] - interval[0]) / 2).toPrecision(3)}` }),
    extra: `${pairs} pairs of runs in one job`,
  };
}
