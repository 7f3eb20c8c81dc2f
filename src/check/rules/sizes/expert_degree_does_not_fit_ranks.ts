// Expert groups that are not named are folded from a stage's tensor × context × data ranks.

import { listed, placedLayers } from "../../../plan/layers.ts";
import {
  contextOf,
  expertDegreesThatFit,
  expertTensorOf,
  ranksPerStage,
} from "../../../plan/mesh.ts";
import type { Degrees } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { expertFixes } from "../../repair/expert_degree.ts";
import { drop, fixOfPlan, leaveOut, put, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const expertGroupFixes = fixOfPlan(({ degrees }, faulty) => {
  const group = faulty.written?.parallel?.expertGroup ?? [];
  const expert = degrees?.expert ?? 1;
  return [
    ...(group.length > expert
      ? [
          {
            patch: [put(faulty, ["parallel", "expertGroup"], group.slice(0, expert))],
            description: `expertGroup now names GPUs ${group.slice(0, expert).join(", ")}`,
            consequence: `GPU ${group.slice(expert).join(", ")} holds no experts`,
          },
        ]
      : []),
    setNumber(
      faulty,
      ["parallel", "expert"],
      group.length,
      `experts are spread over ${group.length} GPUs`,
    ),
    {
      patch: [drop(["parallel", "expertGroup"])],
      description: "parallel.expertGroup is left out",
      consequence: "experts live on the first ranks of each stage",
    },
  ];
});

const expertDegreeWithoutExperts: DiagnosticDefinition = {
  code: "expert-degree-without-experts",
  severity: "error",
  title: "Expert Degree Without Experts",
  requires: "Expert parallelism needs experts.",
  examples: {
    bad: degreesWith({ model: { moe: undefined } }),
    good: degreesWith(),
  },
  fix: leaveOut("the model has no experts to spread"),
};

const expertGroupMatchesDegree: DiagnosticDefinition = {
  code: "expert-group-matches-degree",
  severity: "info",
  title: "Expert Parallel Group",
  requires: "Confirms that an expert group has as many GPUs as its degree.",
  examples: {
    bad: degreesWith({ parallel: { expertGroup: [0, 1] } }),
    good: degreesWith(),
  },
  section: "hardware",
};

const expertDegreeDoesNotMatchGroup: DiagnosticDefinition = {
  code: "expert-degree-does-not-match-group",
  severity: "error",
  title: "Expert Degree Does Not Match Group",
  requires: "An expert group has exactly as many GPUs as its degree.",
  examples: {
    bad: degreesWith({ parallel: { expertGroup: [0] } }),
    good: degreesWith({ parallel: { expertGroup: [0, 1] } }),
  },
  fix: expertGroupFixes,
};

const expertDegreeDoesNotFitRanks: DiagnosticDefinition = {
  code: "expert-degree-does-not-fit-ranks",
  severity: "error",
  title: "Expert Degree Does Not Fit Ranks",
  requires:
    "Expert groups are folded from the ranks of a stage: (tensor × context × data) % (expert × expert-tensor) = 0.",
  examples: {
    bad: degreesWith({ parallel: { expert: 3 } }),
    good: degreesWith(),
  },
  fix: expertFixes,
};

export const expertDegreeFitsRanks: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [
    expertDegreeWithoutExperts,
    expertGroupMatchesDegree,
    expertDegreeDoesNotMatchGroup,
    expertDegreeDoesNotFitRanks,
  ],
  ofPlan: (plan, written) => {
    const { degrees, model } = plan;
    if (degrees === undefined) return [];
    const { expert } = degrees;
    const path = ["parallel", "expert"];
    if (model?.moe === undefined) {
      return expert === 1
        ? []
        : [
            report(
              expertDegreeWithoutExperts,
              path,
              `expert parallelism of ${expert}, but the model has no experts`,
              "give model.moe, or leave parallel.expert out",
            ),
          ];
    }
    const named = written?.parallel?.expertGroup;
    if (named !== undefined) {
      return named.length === expert
        ? [
            report(
              expertGroupMatchesDegree,
              ["parallel", "expertGroup"],
              `expert parallelism of ${expert} has its ${expert} GPUs: ${listed(named)}`,
            ),
          ]
        : [
            report(
              expertDegreeDoesNotMatchGroup,
              ["parallel", "expertGroup"],
              `expert parallelism of ${expert} needs exactly ${expert} GPUs, but ${named.length} are listed: ${listed(named)}`,
              `list ${expert} GPUs, or set expert to ${named.length}`,
            ),
          ];
    }
    const ranks = ranksPerStage(degrees);
    const slices = expertTensorOf(degrees);
    const isUnformed = placedLayers(plan).some(
      ({ layer }) => layer.op === "moe" && layer.expertGroups.length === 0,
    );
    if (!isUnformed) return [];
    const fitting = expertDegreesThatFit(degrees);
    const places = fitting.length === 0 ? "" : `choose one of ${listed(fitting)}, or `;
    return [
      report(
        expertDegreeDoesNotFitRanks,
        path,
        `expert parallelism of ${expert}${slices === 1 ? "" : ` × expert-tensor ${slices}`} cannot be formed from ${rankProduct(degrees)} = ${ranks} ranks per stage`,
        `${places}name the GPUs in parallel.expertGroup`,
      ),
    ];
  },
};

function rankProduct(degrees: Degrees): string {
  const context = contextOf(degrees);
  return `tensor ${degrees.tensor} × ${context === 1 ? "" : `context ${context} × `}data ${degrees.data}`;
}
