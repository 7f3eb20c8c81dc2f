// Key and value heads are split too, or each is shared by a whole number of GPUs.

import { fieldPath, groupSize, nameOf } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { groupSizeFixes } from "../../repair/group_sizes.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";

const groupDoesNotFitKvHeads: DiagnosticDefinition = {
  code: "group-does-not-fit-kv-heads",
  severity: "error",
  title: "Group Does Not Fit Kv Heads",
  requires: "KV heads are a multiple of the tensor group, or divide it.",
  examples: {
    bad: degreesWith({
      model: { moe: undefined, hidden: 48, heads: 12, kvHeads: 3, ffn: 64 },
      parallel: { expert: undefined },
    }),
    good: degreesWith({
      model: { moe: undefined, hidden: 48, heads: 12, kvHeads: 4, ffn: 64 },
      parallel: { expert: undefined },
    }),
  },
  fix: groupSizeFixes(({ model }) => model?.kvHeads),
};

export const groupFitsKvHeads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [groupDoesNotFitKvHeads],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    const parts = groupSize(layer);
    // As many of them as heads is one fault, which is said of the heads.
    if (layer.op !== "attention" || layer.kvHeads === layer.heads) return [];
    if (layer.kvHeads % parts === 0 || parts % layer.kvHeads === 0) return [];
    return [
      report(
        groupDoesNotFitKvHeads,
        fieldPath(plan, placed, "kvHeads"),
        `kvHeads ${layer.kvHeads} of ${nameOf(plan, placed)} is neither a multiple nor a divisor of its ${parts} GPUs`,
        `choose kvHeads that ${parts} divides or that divides ${parts}`,
      ),
    ];
  }),
};
