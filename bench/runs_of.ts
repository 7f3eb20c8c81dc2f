// The result that some of a result's runs would have had by themselves.

import { type Ceiling, ceilingsOf, type MeasuredCeilings } from "../src/measure/ceiling.ts";
import type { Plan } from "../src/plan/plan.ts";
import type { Program } from "../src/program/program.ts";
import { assembleResult } from "../src/result/assemble_result.ts";
import type { RunResult } from "../src/result/result.ts";

/** @param first of `count` runs in a row */
export function runsOf(
  plan: Plan,
  program: Program,
  whole: RunResult,
  first: number,
  count: number,
): RunResult {
  return assembleResult(plan, program, {
    ...whole,
    samples: whole.samples.filter(({ run }) => run >= first && run < first + count),
    runs: whole.runs.slice(first, first + count),
    calibration: whole.calibration.map((each) => {
      const seen: MeasuredCeilings = Object.fromEntries(
        Object.entries(each.ceilings).map(([name, ceiling]) => [
          name,
          seenIn(ceiling, first, count),
        ]),
      );
      return { ...each, ceilings: ceilingsOf(seen) };
    }),
  });
}

/** Before a run the peak is what it was after the run before. */
function seenIn({ variant, runs, others, after = [] }: Ceiling, first: number, count: number) {
  return {
    variant,
    others,
    runs: after[first - 1] ?? runs,
    after: after.slice(first, first + count),
  };
}
