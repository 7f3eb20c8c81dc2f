// Arithmetic, weights and activations of a layer on each GPU, straight from the layer's sizes: enough to
// judge a plan by. What a program really allocates and does, its instructions say.

import { expertsOnGpus, gpusOfStage, type PlacedLayer, placedLayers } from "./layers.ts";
import type { AttentionLayer, LatentAttention, Layer, Plan } from "./plan.ts";

/** A GPU's part in one layer. */
export interface LayerShare {
  readonly gpu: number;
  readonly weightElements: number;
  /** Of one micro-batch: what the layer writes on this GPU. */
  readonly activationElements: number;
  /** Of one step, all micro-batches. */
  readonly flops: number;
}

export interface GpuCost {
  readonly gpu: number;
  readonly layers: readonly PlacedLayer[];
  readonly flops: number;
  readonly weightBytes: number;
  /** One micro-batch, no buffer used twice. */
  readonly activationBytes: number;
}

/** One entry per GPU of the hardware and per GPU named beyond it. */
export const costPerGpu = (plan: Plan): GpuCost[] => {
  const bytes = plan.workload.dtype === "f16" ? 2 : 4;
  const placed = placedLayers(plan);
  const gpus = new Set(Array(plan.hardware.gpus).keys());
  for (const stage of plan.stages) for (const gpu of gpusOfStage(stage)) gpus.add(gpu);
  const costs = new Map(
    [...gpus].map((gpu) => [
      gpu,
      { gpu, layers: [] as PlacedLayer[], flops: 0, weightBytes: 0, activationBytes: 0 },
    ]),
  );
  for (const each of placed) {
    for (const share of layerShares(plan, each)) {
      const cost = costs.get(share.gpu);
      if (cost === undefined) continue;
      cost.layers.push(each);
      cost.flops += share.flops;
      cost.weightBytes += share.weightElements * bytes;
      cost.activationBytes += share.activationElements * bytes;
    }
  }
  return [...costs.values()];
};

interface Sizes {
  readonly weights: number;
  readonly flops: number;
  readonly activations: number;
}

/** The layer's parts: its tokens' GPUs and, of a mixture of experts, the experts' GPUs. */
export const layerShares = (plan: Plan, placed: PlacedLayer): LayerShare[] => {
  const { layer, inputRows } = placed;
  const { microBatches } = plan.workload;
  const rows = inputRows / Math.max(1, layer.groups.length);
  const share = (gpu: number, { weights, flops, activations }: Sizes): LayerShare => ({
    gpu,
    weightElements: weights,
    activationElements: activations,
    flops: flops * microBatches,
  });
  const shares: LayerShare[] = [];
  for (const group of layer.groups) {
    const sizes = tokenSizes(placed, rows, group.length, plan.workload.sequence);
    for (const gpu of group) shares.push(share(gpu, sizes));
  }
  if (layer.op !== "moe") return shares;
  const held = expertsOnGpus(layer);
  return summed([
    ...shares,
    ...[...held].map(([gpu, own]) => share(gpu, expertSizes(layer, inputRows, own, held.size))),
  ]);
};

/** One share per GPU: one that has tokens and experts has both parts. */
const summed = (shares: readonly LayerShare[]): LayerShare[] => {
  const byGpu = new Map<number, LayerShare>();
  for (const share of shares) {
    const before = byGpu.get(share.gpu);
    byGpu.set(share.gpu, {
      gpu: share.gpu,
      weightElements: (before?.weightElements ?? 0) + share.weightElements,
      activationElements: (before?.activationElements ?? 0) + share.activationElements,
      flops: (before?.flops ?? 0) + share.flops,
    });
  }
  return [...byGpu.values()];
};

/** On one of `members` GPUs that share `rows` rows. */
const tokenSizes = (
  { layer, inputWidth = 0, outputRows }: PlacedLayer,
  rows: number,
  members: number,
  sequence: number,
): Sizes => {
  switch (layer.op) {
    case "linear": {
      const parts = layer.split === "replicated" ? 1 : members;
      const columns = layer.split === "column" ? layer.out / members : layer.out;
      const weights = (layer.in * layer.out) / parts;
      return { weights, flops: 2 * rows * weights, activations: rows * (layer.in + columns) };
    }
    case "embedding": {
      const parts = layer.split === "replicated" ? 1 : members;
      const weights = (layer.vocabulary * layer.hidden) / parts;
      return { weights, flops: 0, activations: rows * layer.hidden };
    }
    case "attention": {
      if (layer.latent !== undefined) {
        return latentSizes(layer, layer.latent, rows, members, sequence);
      }
      const { hidden, headDim, causal } = layer;
      const heads = layer.heads / members;
      const kvHeads = Math.max(1, layer.kvHeads / members);
      const weights = hidden * headDim * (2 * heads + 2 * kvHeads);
      const scores = (4 * rows * sequence * heads * headDim) / (causal ? 2 : 1);
      return {
        weights,
        flops: 2 * rows * weights + scores,
        activations: rows * (headDim * (2 * heads + 2 * kvHeads) + hidden),
      };
    }
    case "mlp": {
      const ffn = layer.ffn / members;
      const matrices = layer.activation === "silu" ? 3 : 2;
      const weights = matrices * layer.hidden * ffn;
      return {
        weights,
        flops: 2 * rows * weights,
        activations: rows * ((matrices - 1) * ffn + layer.hidden),
      };
    }
    case "moe": {
      const shared = (layer.sharedFfn ?? 0) / members;
      const matrices = layer.activation === "silu" ? 3 : 2;
      const weights = layer.hidden * (layer.experts + matrices * shared);
      return {
        weights,
        flops: 2 * rows * weights,
        activations: rows * (layer.experts + (matrices - 1) * shared + layer.hidden),
      };
    }
    case "norm": {
      const weights = layer.hidden * (layer.norm === "layer" ? 2 : 1);
      return { weights, flops: 4 * rows * layer.hidden, activations: rows * layer.hidden };
    }
    case "residual":
      return { weights: 0, flops: rows * layer.hidden, activations: rows * layer.hidden };
    case "aggregate":
      return { weights: 0, flops: rows * inputWidth, activations: outputRows * inputWidth };
  }
};

/** The down-projections are on every member, the heads are split. */
const latentSizes = (
  layer: AttentionLayer,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
  rows: number,
  members: number,
  sequence: number,
): Sizes => {
  const { hidden, headDim, causal } = layer;
  const heads = layer.heads / members;
  const queries = heads * (headDim + rotaryDim);
  const ranks = (queryRank ?? 0) + keyValueRank + rotaryDim;
  const weights =
    hidden * ranks +
    (queryRank ?? hidden) * queries +
    keyValueRank * heads * (headDim + valueDim) +
    heads * valueDim * hidden;
  const scores = (2 * rows * sequence * (queries + heads * valueDim)) / (causal ? 2 : 1);
  return {
    weights,
    flops: 2 * rows * weights + scores,
    activations: rows * (ranks + 2 * queries + 2 * heads * valueDim + hidden),
  };
};

/** On one of the experts' GPUs, tokens spread evenly; a token counts once per expert it is sent to. */
const expertSizes = (
  layer: Layer & { op: "moe" },
  rows: number,
  own: number,
  owners: number,
): Sizes => {
  const slices = layer.expertGroups[0]?.[0]?.length ?? 1;
  const matrices = layer.activation === "silu" ? 3 : 2;
  const perExpert = matrices * layer.hidden * layer.ffn;
  const routed = (rows * layer.topK) / owners;
  return {
    weights: (perExpert * own) / slices,
    flops: 2 * routed * perExpert,
    activations: routed * (2 * layer.hidden + (matrices - 1) * layer.ffn),
  };
};
