// Where only experts of a token's best groups are chosen: groups of equal size, with enough experts in those.

import { fieldPath, nameOf } from "../../../plan/layers.ts";
import type { MoeLayer } from "../../../plan/layers/moe.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";

const limit = { groups: 3, topGroups: 2, scoredBy: "best" };

const groupsOfExpertsDoNotFit: DiagnosticDefinition = {
  code: "groups-of-experts-do-not-fit",
  severity: "error",
  title: "Groups Of Experts Do Not Fit",
  requires:
    "Groups of experts are of equal size, and those that a token may use have enough experts for it.",
  examples: {
    bad: degreesWith({ model: { moe: { groupLimit: { ...limit, groups: 4 } } } }),
    good: degreesWith({ model: { moe: { groupLimit: limit } } }),
  },
};

export const groupsOfExpertsFit: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [groupsOfExpertsDoNotFit],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    const fault = layer.op === "moe" ? faultOf(layer) : undefined;
    return fault === undefined
      ? []
      : [
          report(
            groupsOfExpertsDoNotFit,
            fieldPath(plan, placed, "groupLimit"),
            `${nameOf(plan, placed)} ${fault}`,
            "choose groups that divide the experts, and as many of them as topK needs",
          ),
        ];
  }),
};

function faultOf({ experts, topK, groupLimit }: MoeLayer): string | undefined {
  if (groupLimit === undefined) return undefined;
  const { groups, topGroups, scoredBy } = groupLimit;
  if (experts % groups !== 0) return `has ${experts} experts in ${groups} groups of unequal size`;
  if (topGroups > groups) return `chooses ${topGroups} of ${groups} groups`;
  const size = experts / groups;
  if (topK > size * topGroups) {
    return `chooses ${topK} experts of ${topGroups} groups, which have ${size * topGroups}`;
  }
  return scoredBy === "two-best" && size < 2 ? "judges groups of one expert by two" : undefined;
}
