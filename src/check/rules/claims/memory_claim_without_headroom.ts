// Memory filled to the brim fails at the first longer sequence.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { claimedPercent } from "./claimed_share.ts";

const fullMemory = 0.9;

const memoryClaimWithoutHeadroom: DiagnosticDefinition = {
  code: "memory-claim-without-headroom",
  severity: "warning",
  title: "Memory Claim Without Headroom",
  requires: "A tenth of the memory stays free.",
  examples: {
    bad: degreesWith({ claims: { memoryUtilization: 0.95 }, hardware: { memoryPerGpu: "64GB" } }),
    good: degreesWith({ claims: { memoryUtilization: 0.6 }, hardware: { memoryPerGpu: "64GB" } }),
  },
};

export const memoryClaimLeavesHeadroom: DiagnosticDefinition = {
  code: "memory-claim-leaves-headroom",
  severity: "info",
  title: "Memory Claim Leaves Headroom",
  requires: "Tells how much memory a claim leaves.",
  examples: {
    bad: degreesWith({ claims: { memoryUtilization: 0.6 }, hardware: { memoryPerGpu: "64GB" } }),
    good: degreesWith({ claims: { memoryUtilization: 0.95 }, hardware: { memoryPerGpu: "64GB" } }),
  },
};

export const memoryClaimsLeaveRoom: RuleDefinition = {
  chapter: "claims",
  diagnostics: [memoryClaimWithoutHeadroom, memoryClaimLeavesHeadroom],
  ofPlan: ({ claims, hardware }) => {
    const used = claims.memoryUtilization;
    if (used === undefined) return [];
    const path = ["claims", "memoryUtilization"];
    const left =
      hardware.memoryPerGpu === undefined
        ? ""
        : `: ${Number(((hardware.memoryPerGpu * (1 - used)) / 1e9).toPrecision(3))} GB are left`;
    return used > fullMemory
      ? [
          report(
            memoryClaimWithoutHeadroom,
            path,
            `${claimedPercent(used)} of memory in use leaves little headroom${left}`,
            "plan for 90 % at most",
          ),
        ]
      : [
          report(
            memoryClaimLeavesHeadroom,
            path,
            `${claimedPercent(used)} of memory in use${left}`,
          ),
        ];
  },
};
