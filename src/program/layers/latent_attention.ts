// Attention through low-rank projections (DeepSeek V2, V3), for counting: no rank can run it yet, and the
// check refuses a plan that would. Down-projections are on every member, heads are split.

import type { AttentionLayer, LatentAttention } from "../../plan/layers/attention.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { activation, perShard, vector, weight, weightScale, type LayerContext } from "./context.ts";
import { linearShard } from "./linear.ts";

export function latentAttentionOps(
  context: LayerContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  input: ShardedTensor,
): ShardedTensor {
  return perShard(context, input, layer.hidden, (shard) => {
    const tensor = attend(context, layer, latent, shard, input.sampleRows);
    return linearShard(
      context,
      { ...shard, placement: { kind: "columns" }, tensor },
      {
        part: "output/",
        in: layer.heads * latent.valueDim,
        out: layer.hidden,
        split: "row",
        activation: "none",
      },
    );
  });
}

function attend(
  context: LayerContext,
  { hidden, heads, headDim, causal }: AttentionLayer,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
  { ranks, rows, tensor }: Shard,
  sequence: number,
): Tensor {
  const { origin, add } = context;
  const members = ranks.length;
  const project = (part: string, x: Tensor, k: number, all: number, isSplit: boolean): Tensor => {
    const n = isSplit ? all / members : all;
    const w = weight(context, `${part}/weight`, ranks, (member) => ({
      shape: [k, all],
      offset: [0, isSplit ? member * n : 0],
      size: [k, n],
      scale: weightScale(k),
    }));
    const y = activation(context, `${part}/out`, ranks, [rows, n]);
    add({ op: "matmul", origin, ranks, x: whole(x), w, activation: "none", y: whole(y) });
    return y;
  };
  const normalize = (part: string, x: Tensor, columns: number): Tensor => {
    const gain = vector(context, `${part}/gain`, ranks, columns, 1);
    const y = activation(context, `${part}/normalised`, ranks, [rows, columns]);
    add({
      op: "norm",
      origin,
      ranks,
      norm: "rms",
      epsilon: 1e-6,
      x: whole(x),
      gain,
      y: whole(y),
    });
    return y;
  };
  const queryWidth = heads * (headDim + rotaryDim);
  if (queryRank === undefined) {
    project("q", tensor, hidden, queryWidth, true);
  } else {
    const down = project("q/down", tensor, hidden, queryRank, false);
    project("q", normalize("q", down, queryRank), queryRank, queryWidth, true);
  }
  // The rotary part of the key comes beside the latent and is not normalized.
  const down = project("kv/down", tensor, hidden, keyValueRank + rotaryDim, false);
  const latents = normalize("kv", down, keyValueRank);
  const qkv = project("kv", latents, keyValueRank, heads * (headDim + valueDim), true);
  const ownHeads = heads / members;
  const y = activation(context, "attended", ranks, [rows, ownHeads * valueDim]);
  // Queries and keys are wider than values: the mean of both widths costs the same.
  const meanDim = (headDim + rotaryDim + valueDim) / 2;
  add({
    op: "attention",
    origin,
    ranks,
    qkv,
    y,
    sequence,
    heads: ownHeads,
    kvHeads: ownHeads,
    headDim: meanDim,
    causal,
  });
  return y;
}
