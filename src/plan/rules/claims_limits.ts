// Rules on claims that the plan's own layout bounds: utilization by the bubble and the balance of load,
// memory by the estimate, scaling by its baseline, experts and groups by the split.

import { costPerGpu } from "../cost.ts";
import { expertsOnGpus, placedLayers } from "../layers.ts";
import type { Plan } from "../plan.ts";
import { assumedUnder, byHowMuch, bytesText, figure, leaningOn, percent } from "./assumption.ts";
import { bubbleShare } from "./batch.ts";
import { variance } from "./experts.ts";
import { fullestGpu } from "./memory.ts";
import { info, type Rule, warning } from "./rule.ts";

const utilizations = ["gpuUtilization", "computeUtilization"] as const;

/** A stage that waits for its first or last micro-batch is not busy. */
export const utilizationWithinBubble: Rule = (plan) => {
  const { claims, stages, workload } = plan;
  if (stages.length === 1) return [];
  const most = 1 - bubbleShare(plan);
  return utilizations.flatMap((key) => {
    const claimed = claims[key];
    if (claimed === undefined) return [];
    const bubble = `${stages.length} stages with ${workload.microBatches} micro-batches leave at most ${percent(most)} busy`;
    return claimed <= most
      ? [
          info(
            "utilization-claim-within-bubble",
            ["claims", key],
            `${key} of ${percent(claimed)}: ${bubble}`,
          ),
        ]
      : [
          warning(
            "utilization-claim-exceeds-bubble",
            ["claims", key],
            `${key} of ${percent(claimed)} is claimed, but ${bubble}: ${byHowMuch(claimed, most)}; this leans on ${leaningOn(plan, [["workload.microBatches", workload.microBatches]])} and on stages of equal length, which is the best case`,
            "use more micro-batches, or mend the claim",
          ),
        ];
  });
};

/** While the busiest GPU works at its peak, the others do what their share of the FLOPs allows. */
export const utilizationWithinBalance: Rule = (plan) => {
  const claimed = plan.claims.computeUtilization;
  if (claimed === undefined) return [];
  const flops = costPerGpu(plan).map((cost) => cost.flops);
  const sum = flops.reduce((all, each) => all + each, 0);
  const busiest = flops.reduce((most, each) => Math.max(most, each), 0) / sum;
  if (!(busiest > 0)) return [];
  const most = 1 / (flops.length * busiest);
  return claimed <= most + 1e-9
    ? []
    : [
        warning(
          "utilization-claim-exceeds-balance",
          ["claims", "computeUtilization"],
          `computeUtilization of ${percent(claimed)} is claimed, but the busiest GPU has ${percent(busiest)} of the FLOPs, so the average of ${flops.length} GPUs is at most ${percent(most)}: ${byHowMuch(claimed, most)}; this leans on GPUs of equal speed and on ${assumedUnder(plan, "model", "stages")}`,
          "spread the work more evenly, or mend the claim",
        ),
      ];
};

/** Above and below this ratio to the estimate a memory claim is about something else. */
const sameMemory = 2;

/** The claimed share of memory is about what the plan's parts add up to. */
export const memoryClaimAgreesWithEstimate: Rule = (plan) => {
  const memory = plan.hardware.memoryPerGpu;
  const share = plan.claims.memoryUtilization;
  if (memory === undefined || share === undefined) return [];
  const fullest = fullestGpu(plan);
  if (fullest === undefined) return [];
  const claimed = memory * share;
  const { total, gpu } = fullest;
  const path = ["claims", "memoryUtilization"];
  const both = `${percent(share)} of ${bytesText(memory)} are ${bytesText(claimed)}; the parts of GPU ${gpu}, the fullest, add up to ${bytesText(total)}`;
  const ratio = claimed / total;
  if (ratio >= 1 / 1.1 && ratio <= sameMemory) {
    return [info("memory-claim-agrees-with-estimate", path, both)];
  }
  const leans = `this leans on ${assumedUnder(plan, "model", "stages", "workload")}`;
  return ratio < 1
    ? [
        warning(
          "memory-claim-below-estimate",
          path,
          `${both}: the claim is ${byHowMuch(claimed, total)}; ${leans}`,
          "mend the claim, or split over more GPUs",
        ),
      ]
    : [
        warning(
          "memory-claim-above-estimate",
          path,
          `${both}: the claim is ${byHowMuch(claimed, total)}; ${leans}`,
          "give the sizes that the claim was taken with, or mend it",
        ),
      ];
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

interface Fact {
  readonly key: "expertsPerGpu" | "expertVariance" | "tensorGroupSize";
  readonly follows: number;
  readonly from: string;
}

const factsOf = (plan: Plan): Fact[] => {
  const moe = placedLayers(plan).find(({ layer }) => layer.op === "moe")?.layer;
  const facts: Fact[] = [];
  if (moe?.op === "moe" && moe.expertGroups.length > 0) {
    const shares = [...expertsOnGpus(moe).values()];
    const from = `${moe.experts} experts over ${moe.expertGroups[0]?.length ?? 1} GPUs`;
    facts.push({ key: "expertsPerGpu", follows: shares[0] ?? 0, from });
    facts.push({ key: "expertVariance", follows: variance(shares), from });
  }
  if (plan.degrees !== undefined) {
    const { tensor } = plan.degrees;
    facts.push({ key: "tensorGroupSize", follows: tensor, from: `parallel.tensor ${tensor}` });
  }
  return facts;
};

/** What the split itself says needs no measurement. */
export const claimsFollowFromSplit: Rule = (plan) =>
  factsOf(plan).flatMap(({ key, follows, from }) => {
    const claimed = plan.claims[key];
    if (claimed === undefined) return [];
    const path = ["claims", key];
    return Math.abs(claimed - follows) <= 1e-3 * Math.max(1, follows)
      ? [info("split-claim-consistent", path, `${key} ${figure(claimed)}: ${from}`)]
      : [
          warning(
            "split-claim-contradicted",
            path,
            `${key} of ${figure(claimed)} is claimed, but ${from} give ${figure(follows)}: ${byHowMuch(claimed, follows)}; this leans on nothing else`,
            `set it to ${figure(follows)}, or change the split`,
          ),
        ];
  });
