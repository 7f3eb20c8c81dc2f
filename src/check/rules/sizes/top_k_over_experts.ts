// A token cannot go to more experts than there are.

import { fieldPath, placedLayers } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const topKOverExperts: DiagnosticDefinition<{ readonly experts: number }> = {
  code: "top-k-over-experts",
  severity: "error",
  title: "Top K Over Experts",
  requires: "A token goes to at most as many experts as there are.",
  examples: {
    bad: degreesWith({ model: { moe: { topK: 7 } } }),
    good: degreesWith({ model: { moe: { topK: 6 } } }),
  },
  fix: (faulty, { path }, { experts }) => [
    setNumber(faulty, path, experts, "every token goes to every expert"),
  ],
};

export const topKWithinExperts: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [topKOverExperts],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer } = each;
      return layer.op !== "moe" || layer.topK <= layer.experts
        ? []
        : [
            report(
              topKOverExperts,
              fieldPath(plan, each, "topK"),
              `every token goes to ${layer.topK} experts, but there are ${layer.experts}`,
              `set topK to ${layer.experts} or less`,
              { experts: layer.experts },
            ),
          ];
    }),
};
