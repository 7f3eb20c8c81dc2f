// Without a backward pass there is nothing to compute again.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["workload", "recompute"];

const recomputeWithoutTraining: DiagnosticDefinition = {
  code: "recompute-without-training",
  severity: "warning",
  title: "Recompute Without Training",
  requires: "Recomputation acts in the backward pass.",
  examples: {
    bad: degreesWith({ workload: { recompute: { granularity: "selective" } } }),
    good: degreesWith({ workload: { mode: "training", recompute: { granularity: "selective" } } }),
  },
};

export const recomputeNeedsTraining: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [recomputeWithoutTraining],
  ofPlan: ({ workload: { mode, recompute } }) =>
    recompute === undefined || mode === "training"
      ? []
      : [
          report(
            recomputeWithoutTraining,
            path,
            "recomputation acts in the backward pass, but workload.mode is inference",
            "leave it out, or set workload.mode to training",
          ),
        ],
};
