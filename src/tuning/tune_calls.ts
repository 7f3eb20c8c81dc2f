// Tunes the calls of a program on one GPU within a budget of time, the most expensive ones first.

import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { timeKernel } from "../gpu/time_kernel.ts";
import { createTimestamps } from "../gpu/timestamps.ts";
import { choiceOf } from "./choice.ts";
import { callKey } from "./keys.ts";
import type { BoundCall } from "./scratch.ts";
import { tuneCall } from "./tune_call.ts";
import { mergeTuned, type TunedCall } from "./tuned_call.ts";

export interface TuningOptions {
  /** Nothing is begun after that; the variant that is being tried is finished. Infinity: all variants are tried. */
  readonly budgetMs: number;
  /** What earlier tuning on this adapter found out. */
  readonly known: readonly TunedCall[];
  readonly onProgress?: () => void;
  /** ms */
  readonly now?: () => number;
}

// A caller that wants to keep what was found out need not wait for the last call.
const sliceMs = 5000;
// What a call needs to come to any result: its variants once or twice, then some rounds.
const runsPerCall = 20;

/**
 * What was found out, calls that were left alone left out. Ends early once it has been at work for some seconds:
 * called again with what is known by then it goes on, until it finds nothing more. The inputs of the calls must be such as they meet
 * in earnest; their outputs are written as by a step.
 *
 * @param calls every use of a kernel in a step: the same call may be there often
 */
export async function tuneCalls<Shape extends object>(
  gpu: LogicalGpu,
  calls: readonly BoundCall<Shape>[],
  {
    budgetMs,
    known,
    onProgress = () => undefined,
    now = performance.now.bind(performance),
  }: TuningOptions,
): Promise<TunedCall[]> {
  const begin = now();
  const leftMs = (): number => budgetMs - (now() - begin);
  const uses = new Map<string, { call: BoundCall<Shape>; count: number; ms: number }>();
  for (const call of calls) {
    const key = callKey(call.kernel.name, call.shape, call.dtype);
    const use = uses.get(key);
    if (use !== undefined) use.count += 1;
    else if (choiceOf(gpu.report, call, known).trials.variants.length > 0)
      uses.set(key, { call, count: 1, ms: 0 });
  }
  const timestamps = await createTimestamps(gpu, 1);
  try {
    for (const use of uses.values()) {
      if (leftMs() <= 0) break;
      const { kernel, shape, dtype, buffers, label } = use.call;
      const prepared = await gpu.prepare(kernel, shape, dtype, buffers, label);
      use.ms = await timeKernel(gpu, prepared, timestamps);
      onProgress();
    }
    const tuned: TunedCall[] = [];
    for (const { call, ms } of [...uses.values()].toSorted(
      (a, b) => b.count * b.ms - a.count * a.ms,
    )) {
      if (tuned.length > 0 && now() - begin > sliceMs) break;
      if (leftMs() <= runsPerCall * ms) continue;
      const { variants, trials, own } = choiceOf(gpu.report, call, mergeTuned(known, tuned));
      if (trials.variants.length === 0) continue;
      const clock = { timestamps, isOver: () => leftMs() <= 0, onProgress };
      const found = await tuneCall(gpu, call, variants, trials, own, clock);
      if (found !== undefined) tuned.push(found);
    }
    return tuned;
  } finally {
    timestamps?.destroy();
  }
}
