// RMS norm and layer norm: every rank of a tensor group normalizes its copy, or its tokens.

import { isBiasedNorm, type NormLayer } from "../../plan/layers/norm.ts";
import { type ShardedTensor, whole } from "../tensor.ts";
import { activationLike, perShard, vector, type LayerContext } from "./context.ts";

export function normOps(
  context: LayerContext,
  layer: NormLayer,
  input: ShardedTensor,
): ShardedTensor {
  return perShard(context, input, layer.hidden, (shard) => {
    const { origin, add } = context;
    const { ranks } = shard;
    const y = activationLike(context, "out", shard, layer.hidden);
    add({
      op: "norm",
      origin,
      ranks,
      norm: layer.norm,
      epsilon: layer.epsilon,
      x: whole(shard.tensor),
      gain: vector(context, "gain", ranks, layer.hidden, 1),
      ...(isBiasedNorm(layer) ? { bias: vector(context, "bias", ranks, layer.hidden, 0) } : {}),
      y: whole(y),
    });
    return { ...shard, tensor: y };
  });
}
