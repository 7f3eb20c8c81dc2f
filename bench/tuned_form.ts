// The form of a call that tuning arrives at, tried afresh: nothing that is cached takes part.

import type { LogicalGpu } from "../src/gpu/logical_gpu.ts";
import type { Form } from "../src/kernels/form.ts";
import { choiceOf } from "../src/tuning/choice.ts";
import type { BoundCall } from "../src/tuning/scratch.ts";
import { tuneCalls } from "../src/tuning/tune_calls.ts";

/** No form is begun after that. */
const budgetMs = 6000;

/** The call's buffers must hold inputs such as it meets in earnest. */
export async function tunedForm<Shape extends object>(
  gpu: LogicalGpu,
  call: BoundCall<Shape>,
): Promise<Form> {
  const tuned = await tuneCalls(gpu, [call], { budgetMs, known: [] });
  return choiceOf(gpu.report, call, tuned).taken.form;
}
