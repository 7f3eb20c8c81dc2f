// A share of busy time or of peak above 85 % is a promise to be measured before it is believed.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { claimedPercent } from "./claimed_share.ts";

/** Claims above it are rarely met: 70–85 % is what well-tuned systems reach. */
const plausibleUtilization = 0.85;

export const utilizationClaimOptimistic: DiagnosticDefinition = {
  code: "utilization-claim-optimistic",
  severity: "warning",
  title: "GPU Utilization Claim",
  requires: "Utilization above 85 % is measured before it is believed.",
  examples: {
    bad: degreesWith({ claims: { gpuUtilization: 0.95 } }),
    good: degreesWith({ claims: { gpuUtilization: 0.8 } }),
  },
  section: "claims",
  impact: "utilization",
};

export const utilizationClaimPlausible: DiagnosticDefinition = {
  code: "utilization-claim-plausible",
  severity: "info",
  title: "Utilization Claim Plausible",
  requires: "Confirms that a claimed utilization leaves room.",
  examples: {
    bad: degreesWith({ claims: { gpuUtilization: 0.8 } }),
    good: degreesWith({ claims: { gpuUtilization: 0.95 } }),
  },
};

export const utilizationIsPlausible: RuleDefinition = {
  chapter: "claims",
  diagnostics: [utilizationClaimOptimistic, utilizationClaimPlausible],
  ofPlan: ({ claims }) =>
    (["gpuUtilization", "computeUtilization"] as const).flatMap((key) => {
      const claimed = claims[key];
      if (claimed === undefined) return [];
      const path = ["claims", key];
      return claimed > plausibleUtilization
        ? [
            report(
              utilizationClaimOptimistic,
              path,
              `${key} of ${claimedPercent(claimed)} is optimistic`,
              "expect 70–85 %, and measure before relying on it",
            ),
          ]
        : [
            report(
              utilizationClaimPlausible,
              path,
              `${key} of ${claimedPercent(claimed)} leaves room: up to 85 % is plausible`,
            ),
          ];
    }),
};
