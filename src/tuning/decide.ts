// Which of several forms wins, from times taken side by side. Pure.

import { median } from "../measure/statistics.ts";

export interface Contender {
  readonly form: string;
  /** Of one dispatch; the i-th of every contender were taken one after the other. */
  readonly ms: readonly number[];
}

export interface Decision {
  readonly chosen: string;
  /** By contender, how many times as fast as the first; median over the rounds. */
  readonly speedups: readonly number[];
}

/** What a form must gain on the first, or that stays: less than this comes and goes between runs. */
const leastSpeedup = 1.05;

/** @param contenders at least one; the one to beat comes first */
export function decide(contenders: readonly Contender[]): Decision {
  const [first] = contenders;
  if (first === undefined) throw new RangeError("nothing to decide between");
  const speedups = contenders.map(({ ms }) =>
    median(ms.map((time, round) => (first.ms[round] ?? Number.NaN) / time)),
  );
  let chosen = first.form;
  let best = leastSpeedup;
  for (const [index, { form }] of contenders.entries()) {
    const speedup = speedups[index] ?? 0;
    if (index === 0 || !(speedup >= best)) continue;
    best = speedup;
    chosen = form;
  }
  return { chosen, speedups };
}
