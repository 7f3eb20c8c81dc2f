// A slice is a part of an expert's inner width.

import { fieldPath, placedLayers } from "../../../plan/layers.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const slicesDoNotDivideExpertFfn: DiagnosticDefinition = {
  code: "slices-do-not-divide-expert-ffn",
  severity: "error",
  title: "Slices Do Not Divide Expert Ffn",
  requires: "Every slice of an expert has as much of its inner width.",
  examples: {
    bad: degreesWith({ model: { moe: { ffn: 33 } }, parallel: { expert: 1 } }),
    good: degreesWith(),
  },
};

export const slicesDivideExperts: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [slicesDoNotDivideExpertFfn],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer } = each;
      const slices = layer.op === "moe" ? (layer.expertGroups[0]?.[0]?.length ?? 1) : 1;
      if (layer.op !== "moe" || layer.ffn % slices === 0) return [];
      return [
        report(
          slicesDoNotDivideExpertFfn,
          fieldPath(plan, each, "ffn"),
          `ffn ${layer.ffn} of each expert leaves ${layer.ffn % slices} over when sliced over ${slices} GPUs`,
          `make it a multiple of ${slices}, or give parallel.expert so that GPUs hold whole experts`,
        ),
      ];
    }),
};
