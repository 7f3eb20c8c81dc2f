// What tuning selects for one call, timed in turns with all other variants that are right.

import type { LogicalGpu } from "../src/gpu/logical_gpu.ts";
import type { Timestamps } from "../src/gpu/timestamps.ts";
import { median } from "../src/measure/statistics.ts";
import { choiceOf } from "../src/tuning/choice.ts";
import type { BoundCall } from "../src/tuning/scratch.ts";
import { tuneCalls } from "../src/tuning/tune_calls.ts";
import { isExcluded } from "../src/tuning/tuned_call.ts";
import { clockOf, takeTurns } from "./take_turns.ts";

export interface ChoiceFigures {
  readonly selected: string;
  readonly best: string;
  /** Time of what is selected over that of the best, median of rounds; 1 where it is the best. */
  readonly loss: number;
  /** By variant, ms of the clock that `clockOf` names, round by round. */
  readonly times: Readonly<Record<string, readonly number[]>>;
}

/** Undefined where there is nothing to choose. */
export async function measureChoice(
  gpu: LogicalGpu,
  timestamps: Timestamps | undefined,
  call: BoundCall<object>,
): Promise<ChoiceFigures | undefined> {
  const tuned = await tuneCalls(gpu, [call], { budgetMs: Infinity, known: [] });
  const { variants, selected } = choiceOf(gpu.report, call, tuned);
  const tried = tuned.flatMap((one) => one.tried);
  const excluded = new Set(tried.filter(isExcluded).map(({ variant }) => variant));
  const right = variants.filter(({ key }) => !excluded.has(key));
  if (right.length < 2) return undefined;
  const { kernel, shape, dtype, buffers, label } = call;
  const prepared = [];
  for (const { variant } of right) {
    prepared.push(await gpu.prepare(kernel, shape, dtype, buffers, label, variant));
  }
  const clock = clockOf(gpu.report.choice.software);
  const turns = await takeTurns(gpu, timestamps, prepared);
  const times = turns.map(({ samples }) => samples.map(clock));
  const medians = times.map((of) => median(of));
  const at = medians.indexOf(Math.min(...medians));
  const own = times[right.indexOf(selected)] ?? [];
  return {
    selected: selected.key,
    best: right[at]?.key ?? selected.key,
    loss: median(own.map((time, round) => time / (times[at]?.[round] ?? Number.NaN))),
    times: Object.fromEntries(right.map(({ key }, index) => [key, times[index] ?? []])),
  };
}
