// Rules on what a plan promises, as far as paper can judge it; the rest is measured.

import { info, type Rule, warning } from "./rule.ts";

/** Claims above it are rarely met: 70–85 % is what well-tuned systems reach. */
const plausibleUtilization = 0.85;
const fullMemory = 0.9;

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

/** Efficiency compares with one GPU: T₁/(N·T_N) strong, T₁/T_N weak. */
export const scalingHasBaseline: Rule = ({ claims, hardware }) =>
  (["strongScaling", "weakScaling"] as const).flatMap((key) => {
    const claimed = claims[key];
    if (claimed === undefined) return [];
    const path = ["claims", key];
    const formula = key === "strongScaling" ? "T₁/(N·T_N)" : "T₁/T_N";
    return [
      warning(
        "scaling-claim-without-baseline",
        path,
        `${key} of ${percent(claimed)} is ${formula}, but the plan gives no time of one GPU: it leans on a run with N = 1 that nobody can look up`,
        hardware.gpus === 1
          ? "with one GPU there is nothing to scale: leave it out"
          : "measure the same work on one GPU, and publish it beside the claim",
      ),
      ...(claimed > 1
        ? [
            warning(
              "scaling-claim-superlinear",
              path,
              `${key} of ${percent(claimed)} says that ${hardware.gpus} GPUs do more than ${hardware.gpus} times the work of one`,
              "look for a baseline that was slowed down, by memory for example",
            ),
          ]
        : []),
    ];
  });
