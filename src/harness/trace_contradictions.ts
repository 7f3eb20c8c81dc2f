// What no step of a program can have left as its trace: it is of the program's ranks and instructions, and its sample
// follows from it.

import { summariseStep } from "../measure/compute_metrics.ts";
import { groupKernels } from "../measure/kernel_groups.ts";
import { stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { firstDifference } from "../result/first_difference.ts";
import type { ResultSources } from "../result/result_schema.ts";

/** As `recordContradictions`. */
export function traceContradictions(
  whole: Program,
  { trace, samples, adapters }: Pick<ResultSources, "trace" | "samples" | "adapters">,
): string[] {
  if (trace === undefined) return [];
  const program = stepOf(whole);
  const isOfProgram =
    trace.ranks.length === program.ranks.length &&
    program.ranks.every(({ rank, instructions }, i) => {
      const own = trace.ranks[i];
      return (
        own?.rank === rank &&
        own.spans.every(
          ({ instruction = 0, startMs, endMs }) =>
            startMs <= endMs && instruction < Math.max(1, instructions.length),
        )
      );
    });
  if (!isOfProgram) return ["trace is not of the program's ranks and instructions"];
  const groups = groupKernels(
    program,
    adapters.map(({ id }) => id),
  );
  const summary: unknown = JSON.parse(
    JSON.stringify(summariseStep(program, trace, groups, trace.run)),
  );
  const sample = samples.find(({ run, step }) => run === trace.run && step === trace.step);
  const difference = firstDifference(sample, summary);
  return difference === undefined
    ? []
    : [`trace gives another ${difference.path || "sample"} than the sample of its step`];
}
