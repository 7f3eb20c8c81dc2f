// What a reader must know of the time in which a run was measured: load by others, peaks that changed, figures that
// contradict themselves.

import type { Ceiling } from "../../measure/ceiling.ts";
import { heaviestLoad, type MachineLoad } from "../../measure/machine_load.ts";
import { formatPercent, formatValue } from "../../measure/format.ts";
import { describeOverBound } from "../../measure/describe_over_bound.ts";
import type { AdapterCalibration, RunResult } from "../../result/result.ts";

/** A peak that changes by less is the same. */
const notable = 0.1;

/** In sentences without a full stop. */
export function circumstanceNotes({
  runs,
  calibration,
  metrics,
}: Pick<RunResult, "runs" | "calibration" | "metrics">): string[] {
  const load = heaviestLoad(runs.flatMap((run) => run.load ?? []));
  return [
    ...(load === undefined ? [] : [describeLoad(load)]),
    ...calibration.flatMap(changedPeaks),
    ...metrics.overBound.map(
      (each) => `the measurement contradicts itself: ${describeOverBound(each)}`,
    ),
  ];
}

function describeLoad({ othersShare, stolenShare }: MachineLoad): string {
  const stolen =
    stolenShare < 0.005 ? "" : `, and its host gave ${formatPercent(stolenShare)} to others`;
  return `other processes had ${formatPercent(othersShare)} of the CPU time while steps ran${stolen}`;
}

const peaks = [
  ["f32", "f32"],
  ["f16", "f16"],
  ["matrix", "matrix"],
  ["read", "memory"],
  ["write", "memory"],
  ["copy", "memory"],
] as const;

function changedPeaks({ adapter, ceilings }: AdapterCalibration): string[] {
  return peaks.flatMap(([name, what]) => {
    const ceiling = ceilings[name];
    if (ceiling?.change === undefined || Math.abs(ceiling.change) <= notable) return [];
    return [`the ${what} peak of ${adapter} changed while steps ran: ${beforeAndAfter(ceiling)}`];
  });
}

function beforeAndAfter({ figure: { unit }, runs, before = runs, after = [] }: Ceiling): string {
  const best = (values: readonly number[]) => formatValue(Math.max(...values), unit);
  return `${best(before)} before them, ${after.map(best).join(", ")} after; the largest counts`;
}
