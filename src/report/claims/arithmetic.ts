// Claims that must follow from each other, whatever the machine.

import { claimed, fromPlan, ratioOf, type ClaimRule } from "./case.ts";

/** Claims are rounded; what differs by more than this part was not rounded but wrong. */
const ROUNDING = 0.005;

export const tokenArithmetic: ClaimRule = ({ plan }) => {
  const { samplesPerSecond, tokensPerSecond } = plan.claims;
  if (samplesPerSecond === undefined || tokensPerSecond === undefined) return undefined;
  const promised = claimed(tokensPerSecond, "tokens/s");
  const found = fromPlan(samplesPerSecond * plan.workload.sequence, "tokens/s");
  const agrees = agree(found.value, promised.value);
  return {
    claim: "tokenArithmetic",
    label: "samples/s × sequence",
    claimed: promised,
    found,
    ...ratioOf(found, promised),
    judgement: agrees ? "confirmed" : "refuted",
    reason: `${samplesPerSecond} claimed samples/s × sequence ${plan.workload.sequence}`,
    provenance: "estimated",
  };
};

export const memoryArithmetic: ClaimRule = ({ plan }) => {
  const { memoryAvailable, memoryUtilization } = plan.claims;
  const capacity = plan.hardware.memoryPerGpu;
  if (memoryAvailable === undefined || memoryUtilization === undefined) return undefined;
  if (capacity === undefined) return undefined;
  const promised = claimed(memoryAvailable, "B");
  const found = fromPlan(capacity * (1 - memoryUtilization), "B");
  return {
    claim: "memoryArithmetic",
    label: "memory × (1 − used)",
    claimed: promised,
    found,
    ...ratioOf(found, promised),
    judgement: agree(found.value, promised.value) ? "confirmed" : "refuted",
    reason: "memory per GPU less the share that is claimed to be used",
    provenance: "estimated",
  };
};

const agree = (found: number, claim: number): boolean =>
  Math.abs(found - claim) <= ROUNDING * Math.abs(claim);
