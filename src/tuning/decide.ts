// Which of several variants wins, from times taken side by side. Pure.

import { median } from "../measure/statistics.ts";

export interface Contender {
  readonly variant: string;
  /** Of one dispatch; the i-th of every contender were taken one after the other. */
  readonly ms: readonly number[];
}

export interface Decision {
  readonly chosen: string;
  /** By contender, how many times as fast as the first; median over the rounds. */
  readonly speedups: readonly number[];
}

/** What a variant must gain on the first, or that stays: less than this comes and goes between runs. */
const leastSpeedup = 1.05;

/** @param contenders at least one; the one to beat comes first */
export function decide(contenders: readonly Contender[]): Decision {
  const [first] = contenders;
  if (first === undefined) throw new RangeError("nothing to decide between");
  const speedups = contenders.map(({ ms }) =>
    median(ms.map((time, round) => (first.ms[round] ?? Number.NaN) / time)),
  );
  let chosen = first.variant;
  let best = leastSpeedup;
  for (const [index, { variant }] of contenders.entries()) {
    const speedup = speedups[index] ?? 0;
    if (index === 0 || !(speedup >= best)) continue;
    best = speedup;
    chosen = variant;
  }
  return { chosen, speedups };
}
