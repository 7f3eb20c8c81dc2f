// What becomes of a plan's claims without a run, as findings of the check.

import type { Diagnostic } from "../../plan/diagnostic.ts";
import { info, warning } from "../../plan/rules/rule.ts";
import type { Need, Verdict } from "../../claims/verdict.ts";
import { number, percent, quantity } from "../../claims/words.ts";

/** Where the file gives a claim, or the one that a relation between claims is about. */
const pathOf: Readonly<Record<string, string>> = {
  tokenArithmetic: "tokensPerSecond",
  memoryArithmetic: "memoryAvailable",
  latencyArithmetic: "latencyPerLayerMs",
  mfuArithmetic: "computeUtilization",
  hfuArithmetic: "hardwareFlopsUtilization",
  recomputeArithmetic: "hardwareFlopsUtilization",
  busyArithmetic: "gpuUtilization",
};

/** Claims that no run can keep, and pairs that contradict each other; what follows from the plan alone; and a hint to the rest. */
export const claimsAreJudged = (verdicts: readonly Verdict[]): Diagnostic[] => {
  const found = verdicts.flatMap(({ claim, label, judgement, reason }) => {
    const path = ["claims", pathOf[claim] ?? claim];
    if (judgement === "refuted") {
      return [
        warning(
          "claim-refuted",
          path,
          `${label}: ${reason}`,
          "mend the claim, or what it leans on",
        ),
      ];
    }
    return judgement === "confirmed" ? [info("claim-confirmed", path, `${label}: ${reason}`)] : [];
  });
  const open = verdicts.filter(
    ({ judgement }) => judgement !== "refuted" && judgement !== "confirmed",
  );
  const absurd = open.flatMap(({ claim, label, needs }) =>
    needs.flatMap((need) =>
      need.absurd === undefined
        ? []
        : [
            warning(
              "claim-needs-absurd",
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
    info(
      "claims-open",
      ["claims"],
      `${open.length} of ${verdicts.length} claims and relations are open without a run`,
    ),
  ];
};

const prefixed: ReadonlySet<string> = new Set(["FLOP/s", "FLOPs", "B"]);

const shown = ({ value, unit }: Need): string => {
  if (!Number.isFinite(value)) return "any number";
  if (unit === "share") return percent(value);
  if (prefixed.has(unit)) return quantity(value, unit);
  return unit === "" ? number(value) : `${number(value)} ${unit}`;
};
