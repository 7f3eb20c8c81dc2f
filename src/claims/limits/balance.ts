// While the GPU with most arithmetic works at its peak, the others reach what their share of the FLOPs allows: the
// average is at most mean load / largest load. Stages that share GPUs add up their loads.

import { hasBackwardSlots } from "../../plan/pipeline.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RankEstimate } from "../../program/estimate.ts";
import { largest } from "../case.ts";
import { passesOfProgram } from "../flops.ts";
import { percent } from "../words.ts";
import { leftOutOfSpeed, type LimitRule } from "./limit.ts";

export const balanceLimit: LimitRule = (given, { key }, value) => {
  const { plan, estimate } = given;
  const isBusy = key === "gpuUtilization";
  if (!isBusy && key !== "computeUtilization" && key !== "hardwareFlopsUtilization")
    return undefined;
  const { ranks } = estimate;
  const isHfu = key === "hardwareFlopsUtilization";
  const passes = passesOfProgram(given);
  const workOf = ({ flops, recomputed }: RankEstimate): number =>
    isHfu ? passes * flops + (recomputed?.flops ?? 0) : flops;
  const sum = ranks.reduce((all, rank) => all + workOf(rank), 0);
  const most = largest(ranks, workOf);
  if (sum === 0 || ranks.length === 1) return undefined;
  const best = sum / (ranks.length * most);
  // Rounding of uneven shards is no imbalance.
  if (best > 0.98) return undefined;
  const { model, workload } = plan;
  const busiest = percent(most / sum);
  return {
    name: "balance of work",
    ...(isBusy ? {} : { best }),
    because: `the busiest of ${ranks.length} GPUs has ${busiest} of the FLOPs, so that on average GPUs reach at most mean load / largest load = ${percent(best)}${isBusy ? " if their time follows their FLOPs" : ""}`,
    paths: ["model", "stages", "hardware.gpus", "parallel", "workload.mode", "workload.sequence"],
    unsaid: [
      ...leftOutOfSpeed(given),
      ...(isHfu && workload.mode === "training" && !saysRecomputed(plan)
        ? ["what is computed again"]
        : []),
      ...(model?.vocabulary !== undefined && workload.mode === "inference"
        ? ["logits of all positions are counted, of which one is needed"]
        : []),
    ],
    needs:
      value <= best
        ? []
        : [
            {
              what: "share of the FLOPs on the busiest GPU",
              relation: "at most",
              value: 1 / (ranks.length * value),
              unit: "share",
              because: `mean load / largest load ≥ ${percent(value)}; it is ${busiest}`,
            },
          ],
  };
};

function saysRecomputed(plan: Plan): boolean {
  return plan.workload.recompute !== undefined && hasBackwardSlots(plan);
}
