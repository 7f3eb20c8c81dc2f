// Self-attention: QKV column-parallel over heads, one kernel that normalizes and turns queries and keys, one fused
// kernel of attention, output row-parallel (partial sums).

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import type { AttentionOp } from "../attention_op.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { gateOps, headTables, outputOps, scoreRules } from "./attention_parts.ts";
import { cachedAttention } from "./cached_attention.ts";
import { positionsOf } from "../serving/cache_tables.ts";
import { activation, perShard, type LayerContext } from "./context.ts";
import { headGains, meanSquaresOf } from "./head_norm.ts";
import { latentAttentionOps } from "./latent_attention.ts";
import { ownKvHeads, qkvBias, qkvWeight } from "./qkv.ts";
import { ringAttention } from "./ring_attention.ts";
import { turnBy } from "./rotations.ts";

export function attentionOps(
  context: LayerContext,
  layer: AttentionLayer,
  input: ShardedTensor,
): ShardedTensor {
  if (layer.latent !== undefined) return latentAttentionOps(context, layer, layer.latent, input);
  const { contextRanks } = context;
  const attentions = input.shards.map((shard, replica) => {
    const op = projected(context, layer, shard, input.sampleRows * contextRanks, replica);
    if (contextRanks === 1) attend(context, layer, op, shard, replica);
    return op;
  });
  if (contextRanks > 1) ringAttention(context, attentions);
  const attended = input.shards.map((shard, i): Shard => {
    const { y: tensor = shard.tensor } = attentions[i] ?? {};
    return gateOps(context, layer, shard, { ...shard, placement: { kind: "columns" }, tensor });
  });
  return perShard(context, { ...input, shards: attended }, layer.hidden, (shard) =>
    outputOps(context, layer, shard, layer.heads * layer.headDim),
  );
}

/** QKV, and the attention over each rank's heads that is to follow: y [rows, own heads · head dimension]. */
function projected(
  context: LayerContext,
  layer: AttentionLayer,
  shard: Shard,
  sequence: number,
  replica: number,
): Omit<AttentionOp, "place"> {
  const { ranks, rows, tensor } = shard;
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
  const turned = turnHeads(context, layer, { ...shard, index: replica }, qkv, sequence);
  const y = activation(context, "attended", ranks, [rows, heads * headDim]);
  return {
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
  };
}

function attend(
  context: LayerContext,
  { groups }: AttentionLayer,
  op: Omit<AttentionOp, "place">,
  { rowOffset, rows }: Shard,
  index: number,
): void {
  if (context.cache === undefined) context.add(op);
  else
    cachedAttention(context, context.cache, op, { index, count: groups.length, rowOffset, rows });
}

/** Queries and keys, normalized and turned; undefined where they stay as they are. */
function turnHeads(
  context: LayerContext,
  layer: AttentionLayer,
  shard: Shard & { readonly index: number },
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
