// Awaiting a GPU. Dawn looks whether it is done whenever the event loop turns, and as long as anything is awaited
// the loop turns without a pause: on a software GPU's own core that takes up to half of the GPU's time.

import { setImmediate } from "node:timers/promises";
import type { LogicalGpu } from "./logical_gpu.ts";
import { hostMs } from "./timestamps.ts";

/** What a look takes the core. */
const lookUs = 5;

/**
 * How long to sleep after waiting for the GPU that long, µs: looking takes a share `lookUs` / nap of the core, and
 * waking up is half a nap late; this makes the sum of the two least.
 */
export function napUsAfter(waitedUs: number): number {
  return Math.min(1000, Math.max(2 * lookUs, Math.sqrt(2 * lookUs * waitedUs)));
}

/** Nobody wakes who sleeps on it. */
const bell = new Int32Array(new SharedArrayBuffer(4));

/** What `work`, an answer of the GPU, gives. Meanwhile this thread leaves its core to a software GPU. */
export async function awaitGpu<Result>(
  { report }: Pick<LogicalGpu, "report">,
  work: Promise<Result>,
): Promise<Result> {
  return report.choice.software ? patiently(work) : work;
}

/** Awaits what keeps the event loop turning. */
export async function patiently<Result>(work: Promise<Result>): Promise<Result> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  work.then(over, over);
  const since = hostMs();
  for (;;) {
    await setImmediate();
    if (isOver) return work;
    Atomics.wait(bell, 0, 0, napUsAfter(1000 * (hostMs() - since)) / 1000);
  }
}
