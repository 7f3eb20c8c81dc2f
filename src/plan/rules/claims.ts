// Rules on what a plan promises, as far as paper can judge it; the rest is measured.

import type { Plan } from "../plan.ts";
import { byHowMuch } from "./assumption.ts";
import { info, type Rule, warning } from "./rule.ts";

/** Claims above it are rarely met: 70–85 % is what well-tuned systems reach. */
const plausibleUtilization = 0.85;
const fullMemory = 0.9;
/** Figures rounded for print still agree. */
const rounding = 0.01;

const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;

/** A share of busy time or of peak above 85 % is a promise to be measured before it is believed. */
export const utilizationIsPlausible: Rule = ({ claims }) =>
  (["gpuUtilization", "computeUtilization"] as const).flatMap((key) => {
    const claimed = claims[key];
    if (claimed === undefined) return [];
    const path = ["claims", key];
    return claimed > plausibleUtilization
      ? [
          warning(
            "utilization-claim-optimistic",
            path,
            `${key} of ${percent(claimed)} is optimistic`,
            "expect 70–85 %, and measure before relying on it",
          ),
        ]
      : [
          info(
            "utilization-claim-plausible",
            path,
            `${key} of ${percent(claimed)} leaves room: up to 85 % is plausible`,
          ),
        ];
  });

/** Memory filled to the brim fails at the first longer sequence. */
export const memoryClaimLeavesHeadroom: Rule = ({ claims, hardware }) => {
  const used = claims.memoryUtilization;
  if (used === undefined) return [];
  const path = ["claims", "memoryUtilization"];
  const left =
    hardware.memoryPerGpu === undefined
      ? ""
      : `: ${Number(((hardware.memoryPerGpu * (1 - used)) / 1e9).toPrecision(3))} GB are left`;
  return used > fullMemory
    ? [
        warning(
          "memory-claim-without-headroom",
          path,
          `${percent(used)} of memory in use leaves little headroom${left}`,
          "plan for 90 % at most",
        ),
      ]
    : [info("memory-claim-leaves-headroom", path, `${percent(used)} of memory in use${left}`)];
};

interface Pair {
  readonly consistent: string;
  readonly inconsistent: string;
  readonly path: readonly string[];
  readonly claimed: number | undefined;
  readonly follows: number | undefined;
  readonly formula: string;
}

const ofTwo = (
  a: number | undefined,
  b: number | undefined,
  combine: (a: number, b: number) => number,
): number | undefined => (a === undefined || b === undefined ? undefined : combine(a, b));

const pairs = ({ claims, hardware, workload }: Plan): Pair[] => [
  {
    consistent: "token-claim-consistent",
    inconsistent: "token-claim-inconsistent",
    path: ["claims", "tokensPerSecond"],
    claimed: claims.tokensPerSecond,
    follows: ofTwo(claims.samplesPerSecond, workload.sequence, (a, b) => a * b),
    formula: "samplesPerSecond × sequence",
  },
  {
    consistent: "memory-claim-consistent",
    inconsistent: "memory-claim-inconsistent",
    path: ["claims", "memoryAvailable"],
    claimed: claims.memoryAvailable,
    follows: ofTwo(hardware.memoryPerGpu, claims.memoryUtilization, (a, b) => a * (1 - b)),
    formula: "memoryPerGpu × (1 − memoryUtilization)",
  },
];

/** Claims that follow from one another agree. */
export const claimsAgree: Rule = (plan) =>
  pairs(plan).flatMap(({ consistent, inconsistent, path, claimed, follows, formula }) => {
    if (claimed === undefined || follows === undefined) return [];
    const agrees = Math.abs(claimed - follows) <= rounding * Math.max(claimed, follows);
    return agrees
      ? [info(consistent, path, `${claimed} = ${formula}`)]
      : [
          warning(
            inconsistent,
            path,
            `${claimed} is claimed, but ${formula} = ${Number(follows.toPrecision(6))}: ${byHowMuch(claimed, follows)}; this leans on no measurement`,
            "mend one of the figures",
          ),
        ];
  });
