// What leaves a stage leaves GPUs that take part in it, and what arrives arrives at GPUs of the next. Of several
// communications after one stage the first leaves and the last arrives.

import { valueAt } from "../../../plan/document.ts";
import { communicationsAfter, gpusOfStage } from "../../../plan/layers.ts";
import type { Communication, Plan } from "../../../plan/plan.ts";
import { gatherToB, reduceToC, sendToB, stagesWith, twoStages } from "../../example.ts";
import { setCommunication } from "../../repair/communication.ts";
import { drop, type Fix, put } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const swapped: Fix = (faulty, { path }) => {
  const from = valueAt(faulty.value, [...path, "from"]);
  const to = valueAt(faulty.value, [...path, "to"]);
  return [
    {
      patch: [put(faulty, [...path, "from"], to), put(faulty, [...path, "to"], from)],
      description: "from and to are swapped",
      consequence: "it goes with the order of the stages",
    },
  ];
};

const communicationReversed: DiagnosticDefinition = {
  code: "communication-reversed",
  severity: "error",
  title: "Communication Reversed",
  requires: "A communication goes from the earlier stage to the later.",
  examples: {
    bad: twoStages({ ...sendToB, from: [1], to: [0] }),
    good: twoStages(sendToB),
  },
  fix: swapped,
};

const communicationMembersValid: DiagnosticDefinition = {
  code: "communication-members-valid",
  severity: "info",
  title: "Communication Patterns",
  requires: "Confirms that communications join GPUs of the stages on both sides.",
  examples: {
    bad: stagesWith(),
    good: stagesWith({ communications: [{ ...gatherToB, from: [0, 2] }, reduceToC] }),
  },
  section: "hardware",
};

interface Members {
  readonly members: readonly number[];
}

const communicationMemberNotInStage: DiagnosticDefinition<Members> = {
  code: "communication-member-not-in-stage",
  severity: "error",
  title: "Communication Member Not In Stage",
  requires: "What leaves a stage leaves its GPUs, what arrives arrives at GPUs of the next.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, from: [0, 2] }, reduceToC] }),
    good: stagesWith(),
  },
  fix: (faulty, { path }, { members }) => {
    const list = path.slice(0, -1);
    return [
      setCommunication(
        faulty,
        list,
        members,
        `${String(list.at(-1))} now names the stage's GPUs ${members.join(", ")}`,
      ),
      {
        patch: [drop(path)],
        description: "the GPU is left out of the communication",
        consequence: "only members of the stage take part",
      },
    ];
  },
};

export const communicationMembersTakePart: RuleDefinition = {
  chapter: "splits",
  diagnostics: [communicationReversed, communicationMembersValid, communicationMemberNotInStage],
  ofPlan: (plan) => {
    const faults = plan.stages.flatMap((stage, s) => {
      const indices = communicationsAfter(plan, s);
      const next = plan.stages[s + 1];
      const first = indices[0];
      const last = indices.at(-1);
      if (next === undefined || first === undefined || last === undefined) return [];
      const here = gpusOfStage(stage);
      const there = gpusOfStage(next);
      if (first === last && isReversed(plan.communications[first], here, there)) {
        return [
          report(
            communicationReversed,
            ["communications", first],
            `${plan.communications[first]?.name} goes from stage ${JSON.stringify(next.name)} to stage ${JSON.stringify(stage.name)}, against the order of the stages`,
            "swap from and to",
          ),
        ];
      }
      return [
        ...strangers(plan, first, "from", here, stage.name),
        ...strangers(plan, last, "to", there, next.name),
      ];
    });
    if (faults.length > 0 || plan.communications.length === 0) return faults;
    return [
      report(
        communicationMembersValid,
        ["communications"],
        "every communication joins GPUs that take part in the stages on both sides of it",
      ),
    ];
  },
};

/** All of its sources belong to the next stage only, and all of its destinations to this one. */
function isReversed(
  communication: Communication | undefined,
  here: readonly number[],
  there: readonly number[],
): boolean {
  return (
    communication !== undefined &&
    !communication.from.every((gpu) => here.includes(gpu)) &&
    communication.from.every((gpu) => there.includes(gpu)) &&
    communication.to.every((gpu) => here.includes(gpu))
  );
}

function strangers(
  plan: Plan,
  index: number,
  side: "from" | "to",
  members: readonly number[],
  stage: string,
) {
  const communication: Communication | undefined = plan.communications[index];
  if (communication === undefined) return [];
  return communication[side].flatMap((gpu, i) =>
    members.includes(gpu)
      ? []
      : [
          report(
            communicationMemberNotInStage,
            ["communications", index, side, i],
            `${communication.name} goes ${side} GPU ${gpu}, which takes no part in stage ${JSON.stringify(stage)}`,
            `name GPUs of that stage: ${members.join(", ")}`,
            { members },
          ),
        ],
  );
}
