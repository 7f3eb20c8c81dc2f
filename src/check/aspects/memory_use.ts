// Is memory used so conservatively that room is left?

import { fullestNeed } from "../../program/memory.ts";
import { assumedAmong, sizePaths } from "../../plan/assumed.ts";
import { notesThatBear } from "../../plan/import/note_bearing.ts";
import { memoryClaimLeavesHeadroom } from "../rules/claims/memory_claim_without_headroom.ts";
import { memoryHeadroom } from "../rules/sizes/memory_exceeded.ts";
import { formatPercent } from "../../measure/format.ts";
import { worstOf, type AspectJudgement, type Assess } from "./aspect.ts";

/** What a conservative plan uses of a GPU's memory, at most. */
const conservativeShare = 0.9;

export const conservativeMemory: Assess = ({ described: { plan, estimate }, diagnostics }) => {
  const capacity = plan.hardware.memoryPerGpu;
  if (capacity === undefined) return [];
  const held = diagnostics.find(({ code }) => code === memoryHeadroom.code);
  const { total, least } = fullestNeed(estimate.memory);
  const used = total / capacity;
  const isCounted = notesThatBear(plan, "memory").length === 0;
  const promised = plan.claims.memoryUtilization;
  const judge = (share: number, atLeast: number): AspectJudgement => {
    if (atLeast > conservativeShare) return "contradicted";
    return share <= conservativeShare ? "held" : "not decidable";
  };
  const claim = diagnostics.find(({ code }) => code === memoryClaimLeavesHeadroom.code);
  const said = promised === undefined ? "" : `; the plan claims ${formatPercent(promised)}`;
  return [
    {
      title: "Conservative Memory Use",
      judgement: worstOf([
        isCounted ? judge(used, least / capacity) : "not decidable",
        ...(promised === undefined ? [] : [judge(promised, promised)]),
      ]),
      why:
        (held?.message ??
          `the fullest GPU needs ${formatPercent(used)} of its memory, and no run less than ${formatPercent(least / capacity)}`) +
        (isCounted ? "" : "; what the import left out may change it") +
        `${said}; up to ${formatPercent(conservativeShare)} is conservative`,
      leansOn: assumedAmong(plan, [...sizePaths, "hardware.memoryPerGpu", "workload.mode"]),
      codes: [held, claim].flatMap((each) => (each === undefined ? [] : [each.code])),
    },
  ];
};
