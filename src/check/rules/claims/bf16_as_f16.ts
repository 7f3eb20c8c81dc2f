// Numbers of bf16 have the width of f16 and another range: what runs is said.

import { isBrainFloat } from "../../../plan/dtype_names.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const bf16AsF16: DiagnosticDefinition = {
  code: "bf16-as-f16",
  severity: "info",
  title: "Precision",
  requires: "Tells that bfloat16 runs as f16.",
  examples: {
    bad: degreesWith({ workload: { dtype: "bf16" } }),
    good: degreesWith({ workload: { dtype: "f16" } }),
  },
  section: "notes",
};

export const brainFloatRunsAsHalf: RuleDefinition = {
  chapter: "claims",
  diagnostics: [bf16AsF16],
  ofPlan: (_plan, written) =>
    isBrainFloat(written?.workload.dtype)
      ? [
          report(
            bf16AsF16,
            ["workload", "dtype"],
            "bfloat16 is run as f16, which is as wide; figures of numerics are f16's",
          ),
        ]
      : [],
};
