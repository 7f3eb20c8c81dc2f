// Self-attention: QKV column-parallel over heads, one fused kernel, output row-parallel (partial sums).

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { paddedElements } from "../../kernels/storage.ts";
import type { RegionContent } from "../content.ts";
import { partsOn, type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { activation, perShard, weightScale, type LayerContext } from "./context.ts";
import { cachedAttention } from "./cached_attention.ts";
import { latentAttentionOps } from "./latent_attention.ts";
import { linearShard } from "./linear.ts";

export function attentionOps(
  context: LayerContext,
  layer: AttentionLayer,
  input: ShardedTensor,
): ShardedTensor {
  if (layer.latent !== undefined) return latentAttentionOps(context, layer, layer.latent, input);
  const { contextRanks } = context;
  const attended = input.shards.map((shard, replica) =>
    attend(context, layer, shard, input.sampleRows * contextRanks, replica),
  );
  if (contextRanks > 1) gatherContext(context, layer, input.shards);
  return perShard(context, { ...input, shards: attended }, layer.hidden, (shard) =>
    linearShard(context, shard, {
      part: "output/",
      in: layer.heads * layer.headDim,
      out: layer.hidden,
      split: "row",
      activation: "none",
    }),
  );
}

/** Fewer key and value heads than ranks: neighbors hold the same one. */
function ownKvHeads({ kvHeads }: AttentionLayer, ranks: number): number {
  return Math.max(1, kvHeads / ranks);
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
    activation: "none",
    y: whole(qkv),
  });
  const y = activation(context, "attended", ranks, [rows, heads * headDim]);
  const { causal } = layer;
  const sizes = { sequence, heads, kvHeads, headDim, causal };
  const op = { op: "attention", origin, ranks, qkv, y, ...sizes } as const;
  if (context.cache === undefined) add(op);
  else {
    const { length: count } = layer.groups;
    cachedAttention(context, context.cache, op, { index: replica, count, rowOffset, rows });
  }
  return { ...shard, placement: { kind: "columns" }, tensor: y };
}

/** Columns of the rank's query heads, then of its key heads, then of its value heads. */
function qkvWeight(
  { origin }: LayerContext,
  layer: AttentionLayer,
  ranks: readonly number[],
): Tensor {
  const { hidden, headDim } = layer;
  const heads = layer.heads / ranks.length;
  const kvHeads = ownKvHeads(layer, ranks.length);
  const projection = (part: string, first: number, own: number, all: number): RegionContent => ({
    kind: "uniform",
    tensor: `${origin.layer}/${part}/weight`,
    center: 0,
    scale: weightScale(hidden),
    shape: [hidden, all * headDim],
    offset: [0, first * headDim],
    size: [hidden, own * headDim],
  });
  return {
    name: `${origin.layer}/qkv/weight`,
    layer: origin.layer,
    role: "weight",
    parts: partsOn(ranks, (member) => {
      const firstKvHead = Math.floor((member * layer.kvHeads) / ranks.length);
      return {
        shape: [hidden, (heads + 2 * kvHeads) * headDim],
        content: {
          kind: "beside",
          parts: [
            projection("q", member * heads, heads, layer.heads),
            projection("k", firstKvHead, kvHeads, layer.kvHeads),
            projection("v", firstKvHead, kvHeads, layer.kvHeads),
          ],
        },
      };
    }),
  };
}

/** The ranks that share sequences gather all keys and values of them, as context parallelism by all-gather does. */
function gatherContext(
  context: LayerContext,
  layer: AttentionLayer,
  shards: readonly Shard[],
): void {
  const { origin, add, contextRanks } = context;
  for (const [first, { ranks: members, rows }] of shards.entries()) {
    if (first % contextRanks !== 0) continue;
    const peers = shards.slice(first, first + contextRanks);
    const columns = 2 * ownKvHeads(layer, members.length) * layer.headDim;
    for (const member of members.keys()) {
      const ranks = peers.map((peer) => peer.ranks[member] ?? 0);
      const name = `${origin.layer}/context/${first}/${member}`;
      add({
        op: "collective",
        origin,
        ranks,
        name,
        channelName: name,
        from: ranks,
        to: ranks,
        amount: { kind: "all-gather", counts: ranks.map(() => paddedElements(rows, columns)) },
        slot: 0,
        x: whole(activation(context, "context/own", ranks, [rows, columns])),
        y: whole(activation(context, "context/all", ranks, [contextRanks * rows, columns])),
      });
    }
  }
}
