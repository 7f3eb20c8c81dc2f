// Claims about memory: the program says to the byte what a run allocates, so any machine decides them.

import type { Figure } from "../../measure/figure.ts";
import type { Verdict } from "../verdict.ts";
import { assumedDimensions, assumptions, claimed, fromPlan, ratioOf, shortened } from "./case.ts";
import type { Case, ClaimRule } from "./case.ts";

/** A share counts as the claimed one within this part of it: claims are rounded. */
const SHARE_TOLERANCE = 0.05;

export const memoryUtilization: ClaimRule = (given) => {
  const value = given.plan.claims.memoryUtilization;
  if (value === undefined) return undefined;
  const promised = claimed(value, "share");
  const base = { claim: "memoryUtilization", label: "memory used", claimed: promised };
  const capacity = given.plan.hardware.memoryPerGpu;
  if (capacity === undefined) return withoutCapacity(base);
  const fullest = fullestRank(given);
  const found = fromPlan(fullest.bytes / capacity, "share", assumptions(given.plan));
  // A forward pass holds less than training: only what it exceeds already is decided.
  if (isTraining(given) && found.value <= (1 + SHARE_TOLERANCE) * value) {
    return { ...base, found, ...ratioOf(found, promised), ...ofForwardPass };
  }
  const agrees = Math.abs(found.value - value) <= SHARE_TOLERANCE * value;
  return {
    ...base,
    found,
    ...ratioOf(found, promised),
    judgement: agrees ? "confirmed" : "refuted",
    reason:
      `the program's buffers on GPU ${fullest.rank}, the fullest, ` +
      `${agrees ? "agree" : "differ by more than 5 %"}${underAssumptions(given)}`,
    provenance: "estimated",
  };
};

export const memoryAvailable: ClaimRule = (given) => {
  const value = given.plan.claims.memoryAvailable;
  if (value === undefined) return undefined;
  const promised = claimed(value, "B");
  const base = { claim: "memoryAvailable", label: "memory left per GPU", claimed: promised };
  const capacity = given.plan.hardware.memoryPerGpu;
  if (capacity === undefined) return withoutCapacity(base);
  const fullest = fullestRank(given);
  const found = fromPlan(capacity - fullest.bytes, "B", assumptions(given.plan));
  const kept = found.value >= value;
  if (isTraining(given) && kept) {
    return { ...base, found, ...ratioOf(found, promised), ...ofForwardPass };
  }
  return {
    ...base,
    found,
    ...ratioOf(found, promised),
    judgement: kept ? "confirmed" : "refuted",
    reason:
      `the program's buffers leave ${kept ? "at least that" : "less"} on GPU ${fullest.rank}, ` +
      `the fullest${underAssumptions(given)}`,
    provenance: "estimated",
  };
};

const fullestRank = ({ estimate }: Case): { rank: number; bytes: number } => {
  let fullest = { rank: 0, bytes: 0 };
  for (const { rank, memoryBytes } of estimate.ranks) {
    if (memoryBytes > fullest.bytes) fullest = { rank, bytes: memoryBytes };
  }
  return fullest;
};

const underAssumptions = ({ plan }: Case): string => {
  const assumed = assumedDimensions(plan);
  return assumed.length === 0 ? "" : `, under the assumed ${shortened(assumed)}`;
};

const isTraining = ({ plan }: Case): boolean => plan.workload.mode === "training";

const ofForwardPass = {
  judgement: "untestable",
  reason:
    "mode is training, but the program holds what its forward passes need: no gradients, no optimizer",
  provenance: "estimated",
} as const;

const withoutCapacity = (base: {
  readonly claim: string;
  readonly label: string;
  readonly claimed: Figure;
}): Verdict => ({
  ...base,
  judgement: "untestable",
  reason: "the plan does not say how much memory a GPU has (hardware.memoryPerGpu)",
  provenance: "estimated",
});
