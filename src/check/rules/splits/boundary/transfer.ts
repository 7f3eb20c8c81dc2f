// What a communication takes is what lies where it starts.

import { effects, startsWhereItLies, takenBy } from "../../../../plan/placement.ts";
import type { Diagnostic } from "../../../../plan/diagnostic.ts";
import { listed } from "../../../../plan/layers.ts";
import type { Communication, Stage } from "../../../../plan/plan.ts";
import {
  gatherToB,
  linearOn,
  reduceToC,
  sendToB,
  stagesWith,
  twoStages,
  wholeOn,
} from "../../../example.ts";
import { communicationLeftOut, setCommunication } from "../../../repair/communication.ts";
import { type DiagnosticDefinition, report } from "../../../rule.ts";
import { type FittingTransfer, fitTransfer } from "./needed_transfer.ts";
import { columnResultNotGathered, rowResultNotReduced } from "./result_not_moved.ts";
import { describe, isAlone, isOrdered, type StageResult } from "./value.ts";

export const communicationDoesNotFitResult: DiagnosticDefinition<FittingTransfer> = {
  code: "communication-does-not-fit-result",
  severity: "error",
  title: "Communication Does Not Fit Result",
  requires: "A communication takes what the stage leaves.",
  examples: {
    bad: twoStages(
      { ...sendToB, op: "all-gather", from: [0, 1] },
      linearOn("replicated", [0, 1]),
      wholeOn(2),
    ),
    good: twoStages(
      { ...sendToB, from: [0, 1], to: [2] },
      linearOn("replicated", [0, 1]),
      wholeOn(2),
    ),
  },
  fix: (faulty, diagnostic, found) => [
    ...fitTransfer(faulty, diagnostic, found),
    ...communicationLeftOut(faulty, diagnostic, found),
  ],
};

export const communicationOfSeveralGroups: DiagnosticDefinition = {
  code: "communication-of-several-groups",
  severity: "error",
  title: "Communication Of Several Groups",
  requires: "A communication starts from one group.",
  examples: {
    bad: twoStages(
      { ...sendToB, op: "all-gather" },
      linearOn("data", [
        [0, 1],
        [2, 3],
      ]),
      wholeOn(1),
    ),
    good: twoStages(sendToB),
  },
};

export const communicationSourceDiffers: DiagnosticDefinition<{
  readonly holders: readonly number[];
}> = {
  code: "communication-source-differs",
  severity: "error",
  title: "Communication Source Differs",
  requires: "A communication starts from the GPUs that hold the result, in their order.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, from: [1, 0] }, reduceToC] }),
    good: stagesWith(),
  },
  fix: (faulty, { path }, { holders }) => [
    setCommunication(faulty, path, holders, `it starts from GPUs ${holders.join(", ")}`),
  ],
};

export function transferFaults(
  communication: Communication,
  index: number,
  value: StageResult,
  stage: Stage,
): Diagnostic[] {
  const { name, op, from } = communication;
  const path = ["communications", index];
  if (value.groups.length > 1) {
    return [
      report(
        communicationOfSeveralGroups,
        path,
        `the result of stage ${JSON.stringify(stage.name)} lies on ${value.groups.length} tensor groups; a communication starts from one`,
        "use data replicas of one GPU each, or leave out data replicas",
      ),
    ];
  }
  const holders = value.groups[0] ?? [];
  if (takenBy(op, value.placement, isAlone(value)) === undefined) {
    const definition: DiagnosticDefinition<FittingTransfer> =
      value.placement === "columns"
        ? columnResultNotGathered
        : value.placement === "partial"
          ? rowResultNotReduced
          : communicationDoesNotFitResult;
    const fitting = Object.entries(effects).flatMap(([other, effect]) =>
      effect[value.placement] === undefined ? [] : [other],
    );
    return [
      report(
        definition,
        [...path, "op"],
        `${name} is a ${op} of a ${describe(value.placement)} on GPUs ${listed(holders)}`,
        `use ${fitting.join(" or ")}`,
        { fitting },
      ),
    ];
  }
  return startsWhereItLies(from, value.placement, holders)
    ? []
    : [
        report(
          communicationSourceDiffers,
          [...path, "from"],
          `${name} starts from GPUs ${listed(from)}, but the ${describe(value.placement)} lies on GPUs ${listed(holders)}${isOrdered(value.placement) ? ", in that order" : ""}`,
          `set from to [${listed(holders)}]`,
          { holders },
        ),
      ];
}
