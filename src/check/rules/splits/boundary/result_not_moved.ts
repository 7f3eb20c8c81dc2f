// Between two stages without a communication, the result must lie where the next stage needs it, as it needs it.

import type { Diagnostic } from "../../../../plan/diagnostic.ts";
import { groupSize, listed } from "../../../../plan/layers.ts";
import type { Communication, Stage } from "../../../../plan/plan.ts";
import { type Layer, planLayerOf } from "../../../../plan/layers/layers.ts";
import { gatherToB, reduceToC, sendToB, stagesWith, twoStages } from "../../../example.ts";
import { type DiagnosticDefinition, report } from "../../../rule.ts";
import {
  declareTransfer,
  type MissingTransfer,
  moveResult,
  type NeededTransfer,
} from "./needed_transfer.ts";
import { sameGroups, sameList, type StageResult } from "./value.ts";

export const columnResultNotGathered: DiagnosticDefinition<NeededTransfer> = {
  code: "column-result-not-gathered",
  severity: "error",
  title: "Column Result Not Gathered",
  requires:
    "A column-parallel result is gathered, or consumed by a row-parallel layer on the same GPUs.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, op: "all-reduce" }, reduceToC] }),
    good: stagesWith(),
  },
  fix: moveResult,
};

export const rowResultNotReduced: DiagnosticDefinition<NeededTransfer> = {
  code: "row-result-not-reduced",
  severity: "error",
  title: "Row Result Not Reduced",
  requires: "Row-parallel partial sums are reduced before they are used.",
  examples: {
    bad: stagesWith({ communications: [gatherToB] }),
    good: stagesWith(),
  },
  fix: moveResult,
};

export const stagesNotConnected: DiagnosticDefinition<MissingTransfer> = {
  code: "stages-not-connected",
  severity: "error",
  title: "Stages Not Connected",
  requires:
    "A result is brought to every GPU that the next stage needs it on: no rank waits for what nobody sends.",
  examples: {
    bad: twoStages(undefined),
    good: twoStages(sendToB),
  },
  fix: declareTransfer,
};

export function undeclared(
  value: StageResult,
  s: number,
  stage: Stage,
  next: Stage,
  first: Layer,
): Diagnostic[] {
  const path = ["stages", s];
  const between = `between stages ${JSON.stringify(stage.name)} and ${JSON.stringify(next.name)}`;
  const needed = [...new Set(first.groups.flat())];
  const to = listed(needed);
  const holders = value.groups.flat();
  const from = listed(holders);
  const missing = (op: Communication["op"]): MissingTransfer => ({
    missing: { op, from: holders, to: needed },
  });
  if (value.placement === "columns") {
    const isConsumedSharded =
      planLayerOf(first).takes?.(first) === "columns" && sameGroups(first.groups, value.groups);
    return isConsumedSharded
      ? []
      : [
          report(
            columnResultNotGathered,
            path,
            `no communication ${between} gathers the column-parallel result on GPUs ${from}`,
            `declare an all-gather from [${from}] to [${to}], or follow with a row-parallel layer on the same GPUs`,
            missing("all-gather"),
          ),
        ];
  }
  if (value.placement === "partial") {
    return [
      report(
        rowResultNotReduced,
        path,
        `no communication ${between} reduces the partial sums on GPUs ${from}`,
        `declare an all-reduce from [${from}] to [${to}]`,
        missing("all-reduce"),
      ),
    ];
  }
  const isThere =
    value.placement === "rows"
      ? groupSize(first) === 1 && sameList(first.groups.flat(), value.groups.flat())
      : sameGroups(first.groups, value.groups) ||
        (value.groups.length === 1 && needed.every((gpu) => value.groups[0]?.includes(gpu)));
  return isThere
    ? []
    : [
        report(
          stagesNotConnected,
          path,
          `no communication ${between} brings the result from GPUs ${from} to GPUs ${to}`,
          value.placement === "rows"
            ? `declare an all-gather from [${from}] to [${to}]`
            : `declare a send from [${from}] to [${to}]`,
          missing(value.placement === "rows" ? "all-gather" : "send"),
        ),
      ];
}
