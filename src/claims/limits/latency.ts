// A block's latency against the peak, and against the throughput that is claimed beside it: a step takes at least the
// latencies of the blocks that its busiest GPU runs, and brings one batch.

import { blocksOf } from "../../plan/blocks.ts";
import { claimedSamples, type Case } from "../case.ts";
import { flopsPaths } from "../flops.ts";
import { number, percent, quantity } from "../words.ts";
import { leftOutOfSpeed, type LimitRule } from "./limit.ts";

export const latencyLimit: LimitRule = (given, { key }, value) => {
  if (key !== "latencyPerLayerMs" || value === 0) return undefined;
  const { plan, estimate } = given;
  const blocks = blocksOf(plan);
  if (blocks.length === 0) return undefined;
  const names = new Set(blocks.flat());
  const flops = estimate.layers.filter(({ layer }) => names.has(layer));
  const perBlock =
    flops.reduce((sum, layer) => sum + layer.flops, 0) /
    plan.workload.microBatches /
    blocks.length /
    gpusPerStage(given);
  const rate = (1000 * perBlock) / value;
  const { peakFlops } = plan.hardware;
  const because = `${quantity(perBlock, "FLOPs")} of a block per GPU in ${number(value)} ms`;
  const paths = [...flopsPaths, "parallel", "workload.batch", "workload.microBatches"];
  if (peakFlops === undefined) {
    return {
      name: "peak",
      because,
      paths,
      needs: [
        {
          what: "speed of a GPU within a block",
          relation: "at least",
          value: rate,
          unit: "FLOP/s",
          because,
        },
      ],
    };
  }
  return {
    name: "peak",
    best: (1000 * perBlock) / peakFlops,
    because: `${quantity(perBlock, "FLOPs")} of a block per GPU take at least ${number((1000 * perBlock) / peakFlops)} ms at ${quantity(peakFlops, "FLOP/s")}`,
    paths: [...paths, "hardware.peakFlops"],
    unsaid: leftOutOfSpeed(given),
    needs: [
      {
        what: "share of the peak within a block",
        relation: "at least",
        value: rate / peakFlops,
        unit: "share",
        because,
        ...(rate > peakFlops ? { absurd: `${percent(rate / peakFlops)} of the peak` } : {}),
      },
    ],
  };
};

/** GPUs that share the work of a block. */
const gpusPerStage = ({ plan }: Case): number => {
  const layer = plan.stages.flatMap(({ layers }) => layers).find(({ op }) => op === "attention");
  const ranks = layer?.groups.reduce((sum, group) => sum + group.length, 0) ?? 1;
  return Math.max(1, ranks);
};

/** Block latencies of a step on the stage that has most of them: what follows that stage may overlap the next step. */
export const latenciesPerStep = (given: Case): number | undefined => {
  const { plan } = given;
  const blocks = blocksOf(plan);
  if (blocks.length === 0 || claimedSamples(plan) === undefined) return undefined;
  const perStage = new Map<string, number>();
  for (const [first = ""] of blocks) {
    const stage = first.slice(0, first.lastIndexOf("/"));
    perStage.set(stage, (perStage.get(stage) ?? 0) + 1);
  }
  const pipelineRanks = Math.max(1, plan.degrees?.pipeline ?? perStage.size);
  const chunks = Math.max(1, Math.round(perStage.size / pipelineRanks));
  return plan.workload.microBatches * chunks * Math.max(...perStage.values());
};
