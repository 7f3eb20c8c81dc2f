// What a plan promises, as far as its qualities go: how much of it is validated, and whether a utilization overloads a
// GPU. The verdicts themselves have a table of their own.

import { assumedAmong } from "../../plan/assumed.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import type { DiagnosticDefinition } from "../rule.ts";
import { claimConfirmed, claimsOpen } from "../rules/claims/claim_refuted.ts";
import {
  utilizationClaimOptimistic,
  utilizationClaimPlausible,
} from "../rules/claims/utilization_claim_optimistic.ts";
import { formatPercent } from "../../measure/format.ts";
import type { Aspect, AspectJudgement, Assess, Assessed } from "./aspect.ts";
import { busiestOverMean } from "./load_balance.ts";

export const metricsValidated: Assess = ({ verdicts, diagnostics }) => {
  if (verdicts.length === 0) return [];
  const count = (judgement: string): number =>
    verdicts.filter((verdict) => verdict.judgement === judgement).length;
  const [confirmed, refuted] = [count("confirmed"), count("refuted")];
  const open = verdicts.length - confirmed - refuted;
  const judgement: AspectJudgement =
    refuted > 0 ? "contradicted" : open > 0 ? "not decidable" : "held";
  return [
    {
      title: "Performance Metrics Validated",
      judgement,
      why:
        `${confirmed} of ${verdicts.length} claims and relations follow from the plan, ${refuted} are refuted, ` +
        `${open} need a run or what is not known: see Performance Claims`,
      leansOn: [],
      codes: codesAmong(diagnostics, [claimConfirmed, claimsOpen]),
    },
  ];
};

/** A share of time or peak, on average over the GPUs, asks more of the one that has most to do. */
export const utilizationWithoutOverload: Assess = (assessed) =>
  (["gpuUtilization", "computeUtilization"] as const).flatMap((key) => {
    const share = assessed.described.plan.claims[key];
    // What is above 85 % is an opportunity, and said there.
    const isOptimistic = assessed.diagnostics.some(
      ({ code, path }) => code === utilizationClaimOptimistic.code && path[1] === key,
    );
    return share === undefined || isOptimistic ? [] : [overload(assessed, key, share)];
  });

function overload(
  { described, verdicts, diagnostics }: Assessed,
  key: "gpuUtilization" | "computeUtilization",
  share: number,
): Aspect {
  const ratio = busiestOverMean(described) ?? 1;
  const found = verdicts.find(({ claim }) => claim === key)?.judgement;
  const most = formatPercent(share * ratio);
  const isTime = key === "gpuUtilization";
  return {
    title: "High Utilization Without Overloading",
    judgement:
      found === "confirmed" ? "held" : found === "refuted" ? "contradicted" : "not decidable",
    why:
      `${formatPercent(share)} ${isTime ? "busy" : "of the peak"} on average, where up to 85 % is plausible, means ${most} on ` +
      `the busiest GPU${isTime ? " if time follows FLOPs" : " by its share of the FLOPs"}: ` +
      (share * ratio > 1 ? "more than it has" : "not more than it has"),
    leansOn: assumedAmong(described.plan, ["model", "stages", "parallel"]),
    codes: codesAmong(diagnostics, [utilizationClaimPlausible]),
  };
}

function codesAmong(
  diagnostics: readonly Diagnostic[],
  of: readonly DiagnosticDefinition[],
): string[] {
  return of
    .map(({ code }) => code)
    .filter((code) => diagnostics.some((each) => each.code === code));
}
