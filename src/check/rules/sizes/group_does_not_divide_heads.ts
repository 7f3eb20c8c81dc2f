// Every GPU of the group has whole heads, the same number.

import { degreesWith } from "../../example.ts";
import { groupSizeFixes } from "../../repair/group_sizes.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";
import { divides, perLayer } from "./group_division.ts";

const groupDoesNotDivideHeads: DiagnosticDefinition = {
  code: "group-does-not-divide-heads",
  severity: "error",
  title: "Group Does Not Divide Heads",
  requires: "Heads are a multiple of the tensor group.",
  examples: {
    bad: degreesWith({ model: { heads: 1 } }),
    good: degreesWith(),
  },
  fix: groupSizeFixes(({ model }) => model?.heads),
};

export const groupDividesHeads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [groupDoesNotDivideHeads],
  ofPlan: perLayer((plan, placed) =>
    placed.layer.op === "attention"
      ? divides(plan, placed, groupDoesNotDivideHeads, "heads", placed.layer.heads)
      : [],
  ),
};
