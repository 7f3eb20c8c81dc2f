// Whether ranks contend, by what their kernels take: beside each other against each rank alone.

import type { Measured } from "../program/simulate/simulate.ts";
import type { StepSample } from "./sample.ts";
import { median } from "./statistics.ts";

/** How many times as long a step's kernels take beside each other as alone; undefined where either is missing. */
export function kernelSlowdown(
  samples: readonly { readonly ranks: readonly Pick<StepSample["ranks"][number], "computeMs">[] }[],
  { repeats }: Measured,
): number | undefined {
  const beside = samples.map(({ ranks }) => sum(ranks.map(({ computeMs }) => computeMs)));
  const alone = repeats.map((ranks) =>
    sum(ranks.flatMap(({ instructions }) => instructions.map(({ compute }) => compute))),
  );
  if (beside.length === 0 || alone.length === 0 || median(alone) === 0) return undefined;
  return median(beside) / median(alone);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
