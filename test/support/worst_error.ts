// How far a lowered plan, run by the interpreter, is from what its layers mean.

import { assembleOutputs, assembleRoutes } from "../../src/harness/assemble.ts";
import { relativeError } from "../../src/harness/relative_error.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import { forward } from "../../src/reference/forward.ts";
import { interpret } from "./interpret.ts";
import { shownBuffers } from "./shown_buffers.ts";

/**
 * f32 cannot carry smaller results through products: a chain of SiLUs on one column soon gets there. An error of
 * its smallest normal number, 2⁻¹²⁶, is one rounding of this.
 */
const smallest = 2 ** -102;

/**
 * Over all micro-batches and all ranks that hold the result, relative to the largest value. Micro-batches whose
 * results are too small for f32 are left out.
 */
export async function worstError(plan: Plan, program = lower(plan)): Promise<number> {
  const observed = shownBuffers(interpret(program));
  let error = 0;
  for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
    const routes = assembleRoutes(program, observed, microBatch);
    const { output } = await forward(plan, microBatch, routes);
    if (output.data.every((value) => Math.abs(value) < smallest)) continue;
    for (const actual of assembleOutputs(program, observed, microBatch)) {
      error = Math.max(error, relativeError(actual.data, output.data));
    }
  }
  return error;
}
