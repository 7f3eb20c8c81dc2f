// What is claimed must have something to act on.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const trainingOnly = new Set(["activation-checkpointing", "gradient-accumulation"]);

const optimizationWithoutEffect: DiagnosticDefinition = {
  code: "optimization-without-effect",
  severity: "info",
  title: "Optimization Without Effect",
  requires:
    "Tells which optimizations change no figure: what acts on gradients does nothing in inference, and recomputation needs workload.recompute.",
  examples: {
    bad: degreesWith({ optimizations: ["gradient-accumulation"] }),
    good: degreesWith({ optimizations: ["fused-attention"] }),
  },
  section: "notes",
};

const optimizationContradictsDtype: DiagnosticDefinition = {
  code: "optimization-contradicts-dtype",
  severity: "warning",
  title: "Optimization Contradicts Dtype",
  requires: "Mixed precision has a dtype of less than f32.",
  examples: {
    bad: degreesWith({ optimizations: ["mixed-precision"] }),
    good: degreesWith({ optimizations: ["mixed-precision"], workload: { dtype: "f16" } }),
  },
};

export const optimizationsApply: RuleDefinition = {
  chapter: "claims",
  diagnostics: [optimizationWithoutEffect, optimizationContradictsDtype],
  ofPlan: ({ optimizations, workload }) =>
    optimizations.flatMap((name, i) => {
      const path = ["optimizations", i];
      if (workload.mode !== "training" && trainingOnly.has(name)) {
        return [
          report(
            optimizationWithoutEffect,
            path,
            `${name} has no effect in inference: there are no gradients`,
          ),
        ];
      }
      if (name === "activation-checkpointing" && workload.recompute === undefined) {
        return [
          report(
            optimizationWithoutEffect,
            path,
            `${name} changes no figure here: workload.recompute does not say what is recomputed, and memory is counted without`,
            "say it: workload.recompute: {granularity: full, method: uniform, layers: 1}, or {granularity: selective}",
          ),
        ];
      }
      if (name === "mixed-precision" && workload.dtype === "f32") {
        return [
          report(
            optimizationContradictsDtype,
            path,
            "mixed precision is claimed, but the workload's dtype is f32 throughout",
            "set workload.dtype to f16; sums are kept in f32 either way",
          ),
        ];
      }
      return [];
    }),
};
