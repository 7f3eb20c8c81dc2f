// Selective recomputation is of attention, in every layer: it names neither.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["workload", "recompute"];

const selectiveRecomputeTakesNoMethod: DiagnosticDefinition = {
  code: "selective-recompute-takes-no-method",
  severity: "error",
  title: "Selective Recompute Takes No Method",
  requires: "Selective recomputation names neither method nor layers.",
  examples: {
    bad: degreesWith({
      workload: { mode: "training", recompute: { granularity: "selective", method: "block" } },
    }),
    good: degreesWith({ workload: { mode: "training", recompute: { granularity: "selective" } } }),
  },
  fix: leaveOut("attention is recomputed in every layer"),
};

export const selectiveRecomputeIsBare: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [selectiveRecomputeTakesNoMethod],
  ofPlan: ({ workload: { recompute } }) =>
    recompute?.granularity !== "selective"
      ? []
      : (["method", "layers"] as const).flatMap((key) =>
          recompute[key] === undefined
            ? []
            : [
                report(
                  selectiveRecomputeTakesNoMethod,
                  [...path, key],
                  `selective recomputation takes no ${key}: it is of attention, in every layer`,
                  `leave ${key} out, or set granularity to full`,
                ),
              ],
        ),
};
