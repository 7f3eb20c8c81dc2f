// A distribution stands beside degrees: explicit stages name their GPUs themselves.

import { stagesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const distributionWithoutDegrees: DiagnosticDefinition = {
  code: "distribution-without-degrees",
  severity: "error",
  title: "Distribution Without Degrees",
  requires: "A distribution stands beside degrees.",
  examples: {
    bad: stagesWith({ tensor_parallel_distribution: { gpu_0: ["mlp_up_0"] } }),
    good: stagesWith(),
  },
  fix: leaveOut("the layers' own lists decide"),
};

export const distributionNeedsDegrees: RuleDefinition = {
  chapter: "splits",
  diagnostics: [distributionWithoutDegrees],
  ofPlan: (plan, written) =>
    plan.degrees !== undefined || written?.tensor_parallel_distribution === undefined
      ? []
      : [
          report(
            distributionWithoutDegrees,
            ["tensor_parallel_distribution"],
            "explicit stages name their GPUs in each layer",
            "leave tensor_parallel_distribution out",
          ),
        ],
};
