// Efficiency compares with one GPU: T₁/(N·T_N) strong, T₁/T_N weak.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { claimedPercent } from "./claimed_share.ts";

const scalingClaimWithoutBaseline: DiagnosticDefinition = {
  code: "scaling-claim-without-baseline",
  severity: "warning",
  title: "Scaling Claim Without Baseline",
  requires: "Scaling efficiency compares with a run on one GPU that readers can look up.",
  examples: {
    bad: degreesWith({ claims: { strongScaling: 0.95 } }),
    good: degreesWith(),
  },
};

const scalingClaimSuperlinear: DiagnosticDefinition = {
  code: "scaling-claim-superlinear",
  severity: "warning",
  title: "Scaling Claim Superlinear",
  requires: "N GPUs do not do more than N times the work of one.",
  examples: {
    bad: degreesWith({ claims: { weakScaling: 1.2 } }),
    good: degreesWith({ claims: { weakScaling: 0.9 } }),
  },
};

export const scalingHasBaseline: RuleDefinition = {
  chapter: "claims",
  diagnostics: [scalingClaimWithoutBaseline, scalingClaimSuperlinear],
  ofPlan: ({ claims, hardware }) =>
    (["strongScaling", "weakScaling"] as const).flatMap((key) => {
      const claimed = claims[key];
      if (claimed === undefined) return [];
      const path = ["claims", key];
      const formula = key === "strongScaling" ? "T₁/(N·T_N)" : "T₁/T_N";
      return [
        report(
          scalingClaimWithoutBaseline,
          path,
          `${key} of ${claimedPercent(claimed)} is ${formula}, but the plan gives no time of one GPU: it leans on a run with N = 1 that nobody can look up`,
          hardware.gpus === 1
            ? "with one GPU there is nothing to scale: leave it out"
            : "measure the same work on one GPU, and publish it beside the claim",
        ),
        ...(claimed > 1
          ? [
              report(
                scalingClaimSuperlinear,
                path,
                `${key} of ${claimedPercent(claimed)} says that ${hardware.gpus} GPUs do more than ${hardware.gpus} times the work of one`,
                "look for a baseline that was slowed down, by memory for example",
              ),
            ]
          : []),
      ];
    }),
};
