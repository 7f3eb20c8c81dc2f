// Chunks interleave between pipeline ranks.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const interleavingNeedsPipeline: DiagnosticDefinition = {
  code: "interleaving-needs-pipeline",
  severity: "error",
  title: "Interleaving Needs Pipeline",
  requires: "Virtual stages interleave pipeline ranks: pipeline is above 1.",
  examples: {
    bad: degreesWith({ parallel: { virtualStages: 2 } }),
    good: degreesWith(),
  },
  fix: leaveOut("pipeline ranks are not interleaved"),
};

export const interleavingHasPipeline: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [interleavingNeedsPipeline],
  ofPlan: ({ degrees }) =>
    (degrees?.virtualStages ?? 1) === 1 || (degrees?.pipeline ?? 1) > 1
      ? []
      : [
          report(
            interleavingNeedsPipeline,
            ["parallel", "virtualStages"],
            `virtualStages ${degrees?.virtualStages} interleaves pipeline ranks, but pipeline is 1`,
            "set parallel.pipeline above 1, or leave virtualStages out",
          ),
        ],
};
