// What happens to a stage's result before the next stage uses it. Only of explicit stages: with degrees, what stands
// between stages follows from the mesh.

import { effects, takenBy } from "../../../../plan/placement.ts";
import type { Diagnostic } from "../../../../plan/diagnostic.ts";
import { communicationsAfter, listed } from "../../../../plan/layers.ts";
import type { Communication, Plan, Stage } from "../../../../plan/plan.ts";
import { oneStage, sendToB, stagesWith, twoStages, wholeOn } from "../../../example.ts";
import { communicationLeftOut } from "../../../repair/communication.ts";
import { drop, type Fix } from "../../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../../rule.ts";
import { arrivalFaults, communicationMissesGpu, rowsNotGathered } from "./arrival.ts";
import {
  columnResultNotGathered,
  rowResultNotReduced,
  stagesNotConnected,
  undeclared,
} from "./result_not_moved.ts";
import {
  communicationDoesNotFitResult,
  communicationOfSeveralGroups,
  communicationSourceDiffers,
  transferFaults,
} from "./transfer.ts";
import { describe, isAlone, isAtHand, placeOf, resultOf } from "./value.ts";

/** All communications after the same stage, last first, so that indices hold. */
const allLeftOut: Fix = ({ plan }, { path }) => {
  const after = plan?.communications[Number(path[1])]?.after;
  const indices = (plan?.communications ?? []).flatMap((each, i) =>
    each.after === after ? [i] : [],
  );
  return [
    {
      patch: indices.toReversed().map((i) => drop(["communications", i])),
      description: "the communications between these stages are left out",
      consequence: "the result stays where it is",
    },
  ];
};

const communicationFitsSplit: DiagnosticDefinition = {
  code: "communication-fits-split",
  severity: "info",
  title: "Communication",
  requires: "Confirms that a communication is what the split before it needs.",
  examples: {
    bad: stagesWith(),
    good: oneStage([wholeOn(0)]),
  },
  section: "model",
};

const communicationUseless: DiagnosticDefinition = {
  code: "communication-useless",
  severity: "warning",
  title: "Communication Useless",
  requires: "A communication brings something to where it is not yet.",
  examples: {
    bad: twoStages({ ...sendToB, to: [0] }, wholeOn(0), wholeOn(0)),
    good: twoStages(sendToB),
  },
};

const communicationCycle: DiagnosticDefinition = {
  code: "communication-cycle",
  severity: "error",
  title: "Communication Cycle",
  requires: "No communications bring a result back to where it was.",
  examples: {
    bad: stagesWith({
      stages: [
        { name: "a", layers: [wholeOn(0)] },
        { name: "b", layers: [wholeOn(0)] },
      ],
      communications: [
        { ...sendToB, after: "a" },
        { name: "ba", op: "send", from: [1], to: [0], after: "a" },
      ],
    }),
    good: twoStages(sendToB),
  },
  fix: (faulty, diagnostic, found) => [
    ...communicationLeftOut(faulty, diagnostic, found),
    ...allLeftOut(faulty, diagnostic, found),
  ],
};

export const resultsReachTheNextStage: RuleDefinition = {
  chapter: "splits",
  diagnostics: [
    columnResultNotGathered,
    rowResultNotReduced,
    stagesNotConnected,
    communicationDoesNotFitResult,
    communicationOfSeveralGroups,
    communicationSourceDiffers,
    communicationMissesGpu,
    rowsNotGathered,
    communicationUseless,
    communicationCycle,
    communicationFitsSplit,
  ],
  ofPlan: (plan) => {
    if (plan.degrees !== undefined) return [];
    return plan.stages.flatMap((stage, s) => {
      const next = plan.stages[s + 1];
      return next === undefined ? [] : boundary(plan, s, stage, next);
    });
  },
};

function boundary(plan: Plan, s: number, stage: Stage, next: Stage): Diagnostic[] {
  const last = stage.layers.at(-1);
  const first = next.layers[0];
  if (last === undefined || first === undefined) return [];
  const indices = communicationsAfter(plan, s);
  const result = resultOf(last, indices.length > 0);
  let value = result;
  if (indices.length === 0) return undeclared(value, s, stage, next, first);
  const been = new Set([placeOf(value)]);
  const remarks: Diagnostic[] = [];
  for (const index of indices) {
    const communication = plan.communications[index];
    if (communication === undefined) continue;
    const faults = transferFaults(communication, index, value, stage);
    if (faults.length > 0) return faults;
    const taken = takenBy(communication.op, value.placement, isAlone(value)) ?? value.placement;
    const placement = effects[communication.op][taken] ?? "replicate";
    if (isAtHand(value, communication.to)) {
      remarks.push(useless(communication, index));
    }
    value = { placement, groups: [communication.to] };
    if (indices.length > 1 && been.has(placeOf(value))) return [cycle(communication, index)];
    been.add(placeOf(value));
  }
  const index = indices.at(-1) ?? 0;
  const faults = arrivalFaults(value, index, plan.communications[index]?.name ?? "", next, first);
  if (faults.length > 0) return faults;
  const ops = indices.map((i) => plan.communications[i]?.op ?? "");
  if (remarks.length > 0) return remarks;
  return [
    report(
      communicationFitsSplit,
      ["communications", indices[0] ?? 0],
      `${ops.join(" then ")} is what the ${describe(result.placement)} of stage ${JSON.stringify(stage.name)} needs`,
    ),
  ];
}

function useless({ name, op, to }: Communication, index: number): Diagnostic {
  return report(
    communicationUseless,
    ["communications", index],
    `${name} is a ${op} to GPUs ${listed(to)}, which hold all of the result already`,
    "leave it out",
  );
}

function cycle({ name, to }: Communication, index: number): Diagnostic {
  return report(
    communicationCycle,
    ["communications", index],
    `${name} brings the result back to GPUs ${listed(to)}, where it was before`,
    "leave out the communications in between",
  );
}
