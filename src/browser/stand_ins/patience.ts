// What a page has instead of `gpu/patience.ts`: the browser's GPU process is another one, which needs no core of ours.

import type { LogicalGpu } from "../../gpu/logical_gpu.ts";

export async function awaitGpu<Result>(
  _gpu: Pick<LogicalGpu, "report">,
  work: Promise<Result>,
): Promise<Result> {
  return work;
}

export async function patiently<Result>(work: Promise<Result>): Promise<Result> {
  return work;
}
