// Numerics first, as a run has it, and some values against those that the page was made with.

import { assembleOutputs } from "../harness/assemble.ts";
import { acceptedError, verify } from "../harness/verify.ts";
import { NumericsError } from "../numerics_error.ts";
import type { Plan } from "../plan/plan.ts";
import type { Program } from "../program/program.ts";
import type { CheckOutcome } from "../result/check_outcome.ts";
import type { ObservedBuffer } from "../runtime/observation.ts";
import type { ReferenceSample } from "../result/page_data.ts";
import { openPageRanks, type PageRanks } from "./ranks.ts";

export interface CheckedNumbers {
  readonly outcome: CheckOutcome;
  /** Absent where the page holds none, or where rounding sent a token to another expert. */
  readonly sample?: { readonly values: number; readonly error: number };
}

/** @throws NumericsError where they are wrong */
export async function checkNumbers(
  plan: Plan,
  program: Program,
  ranks: PageRanks,
  reference: ReferenceSample | undefined,
  pause: () => Promise<void>,
): Promise<CheckedNumbers> {
  const { outcome, observed } = await verify(
    plan,
    program,
    "auto",
    async (wanted, options = {}) => {
      if (wanted === program) return ranks.observe(options);
      const own = await openPageRanks(wanted);
      try {
        return await own.observe(options);
      } finally {
        own.close();
      }
    },
    pause,
  );
  const { agreeing = 0, total = 0 } = outcome.routing ?? {};
  if (reference === undefined || agreeing < total) return { outcome };
  return { outcome, sample: compare(plan, program, observed, reference) };
}

function compare(
  plan: Plan,
  program: Program,
  observed: readonly ObservedBuffer[],
  { stride, values, scale }: ReferenceSample,
): NonNullable<CheckedNumbers["sample"]> {
  let error = 0;
  for (const { data } of assembleOutputs(program, observed, 0)) {
    for (const [i, value] of values.entries()) {
      const off = Math.abs((data[i * stride] ?? Number.NaN) - value);
      error = Math.max(error, Number.isNaN(off) ? Infinity : off / (scale === 0 ? 1 : scale));
    }
  }
  const accepted = acceptedError(plan, "oracle");
  if (error <= accepted) return { values: values.length, error };
  throw new NumericsError(
    `against the reference that the page was made with: largest relative error ${error.toExponential(1)}, accepted are ${accepted.toExponential(1)}`,
    error,
    accepted,
  );
}
