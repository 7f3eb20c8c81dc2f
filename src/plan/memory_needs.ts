// Bytes per GPU by kind, from the layers' sizes: what a plan must have room for.
//
// Training is counted as mixed-precision Adam keeps it: f16 weights, gradients in f32, and the optimizer's
// f32 weights and two moments, 18 bytes per parameter; 16 where the weights are f32 themselves.

import { layerShares } from "./cost.ts";
import { gpusOfStage, groupSize, type PlacedLayer, placedLayers } from "./layers.ts";
import { chunksInFlight, pipelineOf } from "./pipeline.ts";
import type { Plan } from "./plan.ts";

export interface MemoryNeed {
  readonly gpu: number;
  readonly weights: number;
  /** Of all micro-batches in flight, no buffer used twice. */
  readonly activations: number;
  /** The largest result that is moved between GPUs, once. */
  readonly workspace: number;
  /** Keys and values of every sample of the batch, where a causal model generates. */
  readonly keyValueCache: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly total: number;
}

export const memoryKinds = [
  "weights",
  "activations",
  "workspace",
  "keyValueCache",
  "gradients",
  "optimizer",
] as const;

type Sums = Record<(typeof memoryKinds)[number], number>;

export const memoryNeeds = (plan: Plan): MemoryNeed[] => {
  const { dtype, mode } = plan.workload;
  const bytes = dtype === "f16" ? 2 : 4;
  const optimizerBytes = dtype === "f16" ? 12 : 8;
  const gpus = new Set(Array(plan.hardware.gpus).keys());
  for (const stage of plan.stages) for (const gpu of gpusOfStage(stage)) gpus.add(gpu);
  const sums = new Map<number, Sums>();
  for (const gpu of gpus) sums.set(gpu, noBytes());
  const microBatches = microBatchesInFlight(plan);
  for (const placed of placedLayers(plan)) {
    const inFlight = bytes * (microBatches[placed.stageIndex] ?? 1);
    const cache = mode === "inference" ? bytes * cachedElements(plan, placed) : 0;
    const moved =
      groupSize(placed.layer) > 1 ? bytes * placed.outputRows * (placed.outputWidth ?? 0) : 0;
    const rows = Math.max(1, placed.layer.groups.length);
    const isKept = keepsActivations(plan, placed);
    for (const { gpu, weightElements, activationElements } of layerShares(plan, placed)) {
      const sum = sums.get(gpu);
      if (sum === undefined) continue;
      sum.weights += weightElements * bytes;
      sum.activations += activationElements * (isKept ? inFlight : bytes);
      sum.keyValueCache += cache;
      sum.workspace = Math.max(sum.workspace, moved / rows);
      if (mode !== "training") continue;
      sum.gradients += weightElements * 4;
      sum.optimizer += weightElements * optimizerBytes;
    }
  }
  return [...sums].map(([gpu, sum]) => {
    const total = memoryKinds.reduce((all, kind) => all + sum[kind], 0);
    return { gpu, ...sum, total };
  });
};

const noBytes = (): Sums => ({
  weights: 0,
  activations: 0,
  workspace: 0,
  keyValueCache: 0,
  gradients: 0,
  optimizer: 0,
});

/**
 * Per stage. Until its backward pass comes, a micro-batch is kept; of each chunk of layers as many as of the
 * others.
 */
const microBatchesInFlight = (plan: Plan): number[] => {
  const { stages, workload } = plan;
  const { mode, microBatches, schedule = "1f1b" } = workload;
  const pipeline = pipelineOf(plan);
  return stages.map((_, s) => {
    if (mode !== "training") return 1;
    if (pipeline === undefined) return Math.min(stages.length - s, microBatches);
    const { positions, virtualStages } = pipeline;
    const chunks = chunksInFlight(pipeline, schedule, microBatches, s % positions.length);
    return Math.ceil(chunks / virtualStages);
  });
};

/** Full recomputation keeps what stands between layers; the inside of one is there once. */
const keepsActivations = ({ workload }: Plan, { layer }: PlacedLayer): boolean =>
  workload.recompute?.granularity !== "full" || layer.op === "residual";

/** On each member of the group. */
const cachedElements = ({ workload }: Plan, { layer }: PlacedLayer): number => {
  if (layer.op !== "attention" || !layer.causal || workload.sequence === 1) return 0;
  const tokens = (workload.batch * workload.sequence) / layer.groups.length;
  if (layer.latent !== undefined) {
    return tokens * (layer.latent.keyValueRank + layer.latent.rotaryDim);
  }
  return 2 * tokens * Math.max(1, layer.kvHeads / groupSize(layer)) * layer.headDim;
};
