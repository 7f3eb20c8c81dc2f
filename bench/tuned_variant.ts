// The variant of a call that tuning arrives at, tried afresh: nothing that is cached takes part.

import type { LogicalGpu } from "../src/gpu/logical_gpu.ts";
import type { Variant } from "../src/kernels/variant.ts";
import { choiceOf } from "../src/tuning/choice.ts";
import type { BoundCall } from "../src/tuning/scratch.ts";
import { tuneCalls } from "../src/tuning/tune_calls.ts";

/** No variant is begun after that. */
const budgetMs = 6000;

/** The call's buffers must hold inputs such as it meets in earnest. */
export async function tunedVariant<Shape extends object>(
  gpu: LogicalGpu,
  call: BoundCall<Shape>,
): Promise<Variant> {
  const tuned = await tuneCalls(gpu, [call], { budgetMs, known: [] });
  return choiceOf(gpu.report, call, tuned).selected.variant;
}
