// A block's latency, which is that of its forward pass, against the peak, and against the throughput that is claimed beside
// it: a step takes at least the latencies of the blocks that its busiest GPU runs, and brings one batch.

import { blocksOf } from "../../plan/blocks.ts";
import { sizePaths } from "../../plan/assumed.ts";
import { gpuListsOf, moeLayers } from "../../plan/layers.ts";
import type { Layer } from "../../plan/layers/layers.ts";
import type { Plan } from "../../plan/plan.ts";
import { estimatePlan, type PlanEstimate } from "../../program/estimate.ts";
import { claimedSamples, type Case } from "../case.ts";
import { flopsPaths, seesWholeSequences } from "../flops.ts";
import { number, percent, quantity } from "../words.ts";
import { leftOutOfSpeed, type LimitRule, otherArithmetic } from "./limit.ts";

export const latencyLimit: LimitRule = (given, { key }, value) => {
  if (key !== "latencyPerLayerMs" || value === 0) return undefined;
  const { plan } = given;
  const blocks = blocksOf(plan);
  const [first] = layersOfBlocks(plan);
  if (first === undefined) return undefined;
  const names = new Set(blocks.flat());
  const flops = forwardLayers(given).filter(({ layer }) => names.has(layer));
  const perBlock =
    flops.reduce((sum, layer) => sum + layer.flops, 0) /
    plan.workload.microBatches /
    blocks.length /
    Math.max(1, gpusOfBlock(first).size);
  const rate = (1000 * perBlock) / value;
  const { peakFlops } = plan.hardware;
  const because = `${quantity(perBlock, "FLOPs")} of a block per GPU in ${number(value)} ms`;
  const paths = [...flopsPaths, ...sizePaths, "hardware.gpus"];
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
  const unsaid = [
    ...leftOutOfSpeed(given),
    ...otherArithmetic(plan),
    ...(seesWholeSequences(plan) ? [] : ["how far attention sees"]),
    ...(moeLayers(plan).some(({ capacityFactor }) => capacityFactor !== undefined)
      ? ["how many tokens the experts drop"]
      : []),
  ];
  return {
    name: "peak",
    best: (1000 * perBlock) / peakFlops,
    because: `${quantity(perBlock, "FLOPs")} of a block per GPU take at least ${number((1000 * perBlock) / peakFlops)} ms at ${quantity(peakFlops, "FLOP/s")}`,
    paths: [...paths, "hardware.peakFlops"],
    unsaid,
    needs: [
      {
        what: "share of the peak within a block",
        relation: "at least",
        value: rate / peakFlops,
        unit: "share",
        because,
        ...(rate > peakFlops && unsaid.length === 0
          ? { absurd: `${percent(rate / peakFlops)} of the peak` }
          : {}),
      },
    ],
  };
};

/** A program that trains has each layer's backward pass and update besides. */
function forwardLayers({ plan, estimate }: Case): PlanEstimate["layers"] {
  const { optimizer, schedule: _, ...workload } = plan.workload;
  return optimizer === undefined ? estimate.layers : estimatePlan({ ...plan, workload }).layers;
}

/** GPUs that share the work of a block: those of its tokens and of its experts, at most. */
function gpusOfBlock(layers: readonly Layer[]): ReadonlySet<number> {
  return new Set(layers.flatMap(gpuListsOf).flatMap((groups) => groups.flat(2)));
}

/** GPUs that take part in every layer of a block. */
function gpusOfWholeBlock(layers: readonly Layer[]): ReadonlySet<number> {
  const sets = layers.map((layer) => gpusOfBlock([layer]));
  return new Set([...(sets[0] ?? [])].filter((gpu) => sets.every((set) => set.has(gpu))));
}

/** The layers of each block. */
function layersOfBlocks(plan: Plan): Layer[][] {
  const byName = new Map<string, Layer>(
    plan.stages.flatMap((stage) =>
      stage.layers.map((layer) => [`${stage.name}/${layer.name}`, layer] as const),
    ),
  );
  return blocksOf(plan).map((block) => block.flatMap((name) => byName.get(name) ?? []));
}

/**
 * Block latencies of a step on the GPU that has most of them: what follows may overlap the next step. A GPU that has
 * only a part of a block turns to the next micro-batch while others have the rest.
 */
export function latenciesPerStep({ plan }: Case): number | undefined {
  const blocks = layersOfBlocks(plan);
  if (blocks.length === 0 || claimedSamples(plan) === undefined) return undefined;
  const perGpu = new Map<number, number>();
  for (const { gpus, count } of alike(blocks)) {
    for (const gpu of gpus) perGpu.set(gpu, (perGpu.get(gpu) ?? 0) + count);
  }
  let most = 0;
  for (const count of perGpu.values()) most = Math.max(most, count);
  return most === 0 ? undefined : plan.workload.microBatches * most;
}

/** Blocks on the same GPUs are counted: of thousands on thousands of GPUs there are few kinds. */
function alike(
  blocks: readonly (readonly Layer[])[],
): Iterable<{ readonly gpus: ReadonlySet<number>; readonly count: number }> {
  const numbers = new Map<object, number>();
  const numberOf = (list: object): number => {
    const found = numbers.get(list) ?? numbers.size;
    numbers.set(list, found);
    return found;
  };
  const kinds = new Map<string, { readonly gpus: ReadonlySet<number>; count: number }>();
  for (const block of blocks) {
    const key = [...new Set(block.flatMap(gpuListsOf).map(numberOf))].join(" ");
    const kind = kinds.get(key) ?? { gpus: gpusOfWholeBlock(block), count: 0 };
    kinds.set(key, kind);
    kind.count += 1;
  }
  return kinds.values();
}
