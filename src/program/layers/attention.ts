// Self-attention: QKV column-parallel over heads, one kernel that normalizes and turns queries and keys, one fused
// kernel of attention, output row-parallel (partial sums).

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { gateOps, headTables, outputOps, scoreRules } from "./attention_parts.ts";
import { cachedAttention } from "./cached_attention.ts";
import { positionsOf } from "../serving/cache_tables.ts";
import { activation, perShard, type LayerContext } from "./context.ts";
import { gatherContext } from "./gather_context.ts";
import { headGains, meanSquaresOf } from "./head_norm.ts";
import { latentAttentionOps } from "./latent_attention.ts";
import { ownKvHeads, qkvBias, qkvWeight } from "./qkv.ts";
import { turnBy } from "./rotations.ts";

export function attentionOps(
  context: LayerContext,
  layer: AttentionLayer,
  input: ShardedTensor,
): ShardedTensor {
  if (layer.latent !== undefined) return latentAttentionOps(context, layer, layer.latent, input);
  const { contextRanks } = context;
  const attended = input.shards.map((shard, replica) => {
    const result = attend(context, layer, shard, input.sampleRows * contextRanks, replica);
    return gateOps(context, layer, shard, result);
  });
  if (contextRanks > 1) gatherContext(context, input.shards, widthOfKeysAndValues(layer));
  return perShard(context, { ...input, shards: attended }, layer.hidden, (shard) =>
    outputOps(context, layer, shard, layer.heads * layer.headDim),
  );
}

/** QKV and the attention over each rank's heads: [rows, own heads · head dimension]. */
function attend(
  context: LayerContext,
  layer: AttentionLayer,
  shard: Shard,
  sequence: number,
  replica: number,
): Shard {
  const { ranks, rowOffset, rows, tensor } = shard;
  const { origin, add } = context;
  const { headDim } = layer;
  const heads = layer.heads / ranks.length;
  const kvHeads = ownKvHeads(layer, ranks.length);
  const qkv = activation(context, "qkv/out", ranks, [rows, (heads + 2 * kvHeads) * headDim]);
  add({
    op: "matmul",
    origin,
    ranks,
    x: whole(tensor),
    w: qkvWeight(context, layer, ranks),
    ...(layer.biases?.includes("qkv") === true ? { bias: qkvBias(context, layer, ranks) } : {}),
    activation: "none",
    y: whole(qkv),
  });
  const turned = turnHeads(context, layer, shard, qkv, sequence);
  const y = activation(context, "attended", ranks, [rows, heads * headDim]);
  const op = {
    op: "attention",
    origin,
    ranks,
    qkv: turned ?? qkv,
    ...(turned === undefined
      ? {}
      : { values: { v: qkv, dim: headDim, first: (heads + kvHeads) * headDim, step: headDim } }),
    ...headTables(context, layer, ranks),
    y,
    sequence,
    heads,
    kvHeads,
    headDim,
    rules: scoreRules(layer),
  } as const;
  if (context.cache === undefined) add(op);
  else {
    const { length: count } = layer.groups;
    cachedAttention(context, context.cache, op, { index: replica, count, rowOffset, rows });
  }
  return { ...shard, placement: { kind: "columns" }, tensor: y };
}

/** Queries and keys, normalized and turned; undefined where they stay as they are. */
function turnHeads(
  context: LayerContext,
  layer: AttentionLayer,
  shard: Shard,
  x: Tensor,
  sampleRows: number,
): Tensor | undefined {
  const { headDim, rotary, qkNorm, temperature } = layer;
  const isPlaced = rotary !== undefined || temperature !== undefined;
  if (!isPlaced && qkNorm === undefined) return undefined;
  const { ranks, rows } = shard;
  const { origin, add } = context;
  const heads = layer.heads / ranks.length;
  const kvHeads = ownKvHeads(layer, ranks.length);
  const places = isPlaced
    ? positionsOf(context, ranks, shard, sampleRows)
    : { sequence: sampleRows };
  const squares =
    qkNorm?.kind === "all-heads"
      ? meanSquaresOf(context, ranks, x, heads * headDim, kvHeads * headDim)
      : undefined;
  const gains = qkNorm && headGains(context, layer, qkNorm, ranks);
  const y = activation(context, "turned", ranks, [rows, (heads + kvHeads) * headDim]);
  add({
    op: "rotary",
    origin,
    ranks,
    x,
    y,
    ...places,
    heads,
    kvHeads,
    headDim,
    ...(rotary === undefined ? {} : { turn: turnBy(context, rotary, 0, places.sequence, ranks) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(qkNorm === undefined
      ? {}
      : { norm: { ...qkNorm, ...(gains && { gains }), ...(squares && { squares }) } }),
  });
  return y;
}

/** Columns of the keys and values of one of a group's ranks, by the group's size. */
function widthOfKeysAndValues(layer: AttentionLayer): (groupSize: number) => number {
  return (groupSize) => 2 * ownKvHeads(layer, groupSize) * layer.headDim;
}
