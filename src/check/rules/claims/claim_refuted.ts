// Claims that no run can keep, and pairs that contradict each other; what follows from the plan alone; and a hint to
// the rest.

import type { Need } from "../../../claims/verdict.ts";
import { number, percent, quantity } from "../../../claims/words.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

/** Where the file gives a claim, or the one that a relation between claims is about. */
const pathOf: Readonly<Record<string, string>> = {
  tokenArithmetic: "tokensPerSecond",
  memoryArithmetic: "memoryAvailable",
  latencyArithmetic: "latencyPerLayerMs",
  mfuArithmetic: "computeUtilization",
  hfuArithmetic: "hardwareFlopsUtilization",
  recomputeArithmetic: "hardwareFlopsUtilization",
  busyArithmetic: "gpuUtilization",
  outputArithmetic: "outputTokensPerSecond",
  perGpuArithmetic: "tokensPerSecondPerGpu",
  totalArithmetic: "tokensPerSecond",
  inFlightArithmetic: "tpotMs",
};

const prefixed: ReadonlySet<string> = new Set(["FLOP/s", "FLOPs", "B"]);

const claimRefuted: DiagnosticDefinition = {
  code: "claim-refuted",
  severity: "warning",
  title: "Claim That No Run Can Keep",
  requires:
    "No claim is beyond what any run of the plan can reach, and none contradicts another: bounds have 2 % of tolerance, 10 % where a datasheet gives the figure, and pairs of claims the tolerance that their line prints.",
  examples: {
    bad: degreesWith({ claims: { samplesPerSecond: 10, tokensPerSecond: 20 } }),
    good: degreesWith({ claims: { samplesPerSecond: 10, tokensPerSecond: 10 } }),
  },
  section: "claims",
};

export const claimConfirmed: DiagnosticDefinition = {
  code: "claim-confirmed",
  severity: "info",
  title: "Claim That Follows From the Plan",
  requires: "Confirms a claim that follows from the plan alone, such as who holds which experts.",
  examples: {
    bad: degreesWith({ claims: { expertVariance: 0 } }),
    good: degreesWith({ claims: { expertVariance: 2 } }),
  },
  section: "claims",
};

const claimNeedsAbsurd: DiagnosticDefinition = {
  code: "claim-needs-absurd",
  severity: "warning",
  title: "Claim That Needs the Impossible",
  requires: "What an open claim needs exists: no GPU does more than its peak.",
  examples: {
    bad: degreesWith({ claims: { samplesPerSecond: 30_000 }, hardware: { peakFlops: "1GFLOPS" } }),
    good: degreesWith({ claims: { samplesPerSecond: 100 }, hardware: { peakFlops: "1GFLOPS" } }),
  },
  section: "claims",
};

export const claimsOpen: DiagnosticDefinition = {
  code: "claims-open",
  severity: "info",
  title: "Claims That Are Open",
  requires: "Tells how many claims only a run can decide.",
  examples: {
    bad: degreesWith({ claims: { gpuUtilization: 0.8 } }),
    good: degreesWith({ claims: { expertVariance: 0 } }),
  },
  section: "claims",
};

export const claimsAreJudged: RuleDefinition = {
  chapter: "claims",
  diagnostics: [claimRefuted, claimConfirmed, claimNeedsAbsurd, claimsOpen],
  ofClaims: (verdicts) => {
    const found = verdicts.flatMap(({ claim, label, judgement, reason }) => {
      const path = ["claims", pathOf[claim] ?? claim];
      if (judgement === "refuted") {
        return [
          report(claimRefuted, path, `${label}: ${reason}`, "mend the claim, or what it leans on"),
        ];
      }
      return judgement === "confirmed" ? [report(claimConfirmed, path, `${label}: ${reason}`)] : [];
    });
    const open = verdicts.filter(
      ({ judgement }) => judgement !== "refuted" && judgement !== "confirmed",
    );
    const absurd = open.flatMap(({ claim, label, needs }) =>
      needs.flatMap((need) =>
        need.absurd === undefined
          ? []
          : [
              report(
                claimNeedsAbsurd,
                ["claims", pathOf[claim] ?? claim],
                `${label} needs ${need.what} of ${shown(need)}: ${need.absurd}`,
                "mend the claim, or what it leans on",
              ),
            ],
      ),
    );
    if (open.length === 0) return found;
    return [
      ...found,
      ...absurd,
      report(
        claimsOpen,
        ["claims"],
        `${open.length} of ${verdicts.length} claims and relations are open without a run`,
      ),
    ];
  },
};

function shown({ value, unit }: Need): string {
  if (!Number.isFinite(value)) return "any number";
  if (unit === "share") return percent(value);
  if (prefixed.has(unit)) return quantity(value, unit);
  return unit === "" ? number(value) : `${number(value)} ${unit}`;
}
