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
  fix: (faulty, diagnostic, repair) =>
    groupSizeFixes(({ model }) =>
      diagnostic.path.includes("keyHeads") ? model?.gatedDelta?.keyHeads : model?.heads,
    )(faulty, diagnostic, repair),
};

export const groupDividesHeads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [groupDoesNotDivideHeads],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op === "gated-delta") {
      return divides(plan, placed, groupDoesNotDivideHeads, "keyHeads", layer.keyHeads);
    }
    return layer.op === "attention"
      ? divides(plan, placed, groupDoesNotDivideHeads, "heads", layer.heads)
      : [];
  }),
};
