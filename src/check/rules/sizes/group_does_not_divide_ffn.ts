// An MLP's inner dimension is split by column, then by row; so is that of shared experts.

import { degreesWith } from "../../example.ts";
import { groupSizeFixes } from "../../repair/group_sizes.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";
import { divides, perLayer } from "./group_division.ts";

const groupDoesNotDivideFfn: DiagnosticDefinition = {
  code: "group-does-not-divide-ffn",
  severity: "error",
  title: "Group Does Not Divide Ffn",
  requires: "The inner dimension of MLPs and shared experts is a multiple of the tensor group.",
  examples: {
    bad: degreesWith({ model: { ffn: 63 } }),
    good: degreesWith(),
  },
  fix: groupSizeFixes(({ model }) => model?.ffn),
};

export const groupDividesFfn: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [groupDoesNotDivideFfn],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op === "mlp") return divides(plan, placed, groupDoesNotDivideFfn, "ffn", layer.ffn);
    return layer.op === "moe" && layer.sharedFfn !== undefined
      ? divides(plan, placed, groupDoesNotDivideFfn, "sharedFfn", layer.sharedFfn)
      : [];
  }),
};
