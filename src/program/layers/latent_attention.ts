// Attention through low-rank projections (DeepSeek V2, V3). Down-projections are on every member, heads are split.
//
// Expanded: keys and values of every head are made from the latents, as for whole sequences and whole prompts.
// Absorbed: queries go through the up-projection of keys and results through that of values, so that what is attended is
// the cache of latents itself, which all heads share; for new tokens that see cached ones. The same in exact arithmetic.

import type { AttentionLayer, LatentAttention } from "../../plan/layers/attention.ts";
import type { AttentionOp, RotaryOp } from "../attention_op.ts";
import type { CacheUse } from "../serving/caches.ts";
import { positionsOf } from "../serving/cache_tables.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { headTables, outputOps, scoreRules } from "./attention_parts.ts";
import { appendToCache, attendToCache, type Replica } from "./cached_attention.ts";
import { activation, perShard, type LayerContext } from "./context.ts";
import { latentProjections, type Latents } from "./latent_projections.ts";
import { ringAttention } from "./ring_attention.ts";
import { turnBy } from "./rotations.ts";

export function latentAttentionOps(
  context: LayerContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  input: ShardedTensor,
): ShardedTensor {
  const { cache, contextRanks, add } = context;
  const attentions: Omit<AttentionOp, "place">[] = [];
  const attended = input.shards.map((shard, index): Shard => {
    const { ranks, rowOffset, rows } = shard;
    const site = {
      ranks,
      heads: layer.heads / ranks.length,
      sequence: input.sampleRows * contextRanks,
      replica: { index, count: layer.groups.length, rowOffset, rows },
    };
    const latents = latentProjections(context, layer, latent, shard);
    const placement = { kind: "columns" } as const;
    if (cache !== undefined && !cache.isFresh) {
      const tensor = absorbed(context, cache, layer, latent, latents, site);
      return { ...shard, placement, tensor };
    }
    const op = expanded(context, layer, latent, latents, site);
    if (contextRanks === 1) add(op);
    else attentions.push(op);
    return { ...shard, placement, tensor: op.y };
  });
  ringAttention(context, attentions);
  return perShard(context, { ...input, shards: attended }, layer.hidden, (shard) =>
    outputOps(context, layer, shard, layer.heads * latent.valueDim),
  );
}

/** Some heads of a replica's rows. */
interface Site {
  readonly ranks: readonly number[];
  /** Of each rank. */
  readonly heads: number;
  /** Rows of a sample. */
  readonly sequence: number;
  readonly replica: Replica;
}

/** What attends is to follow: y [rows, own heads · value dimension]. */
function expanded(
  context: LayerContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  latents: Latents,
  site: Site,
): Omit<AttentionOp, "place"> {
  const { origin, add, cache } = context;
  const { headDim: plainDim } = layer;
  const { keyValueRank, rotaryDim, valueDim } = latent;
  const { ranks, heads, sequence, replica } = site;
  const { rows } = replica;
  const headDim = plainDim + rotaryDim;
  const kv = activation(context, "kv/out", ranks, [rows, heads * (plainDim + valueDim)]);
  const { normalized, up } = latents;
  add({
    op: "matmul",
    origin,
    ranks,
    x: whole(normalized),
    w: up,
    activation: "none",
    y: whole(kv),
  });
  const turned = turn(context, layer, site, {
    x: latents.q,
    latent: { kv, down: latents.down, plainDim, valueDim, rank: keyValueRank },
    kvHeads: heads,
    headDim,
  });
  if (cache !== undefined) {
    const first = heads * headDim + plainDim;
    keep(context, cache, latent, site, normalized, { x: turned, first });
  }
  const y = activation(context, "attended", ranks, [rows, heads * valueDim]);
  return {
    op: "attention",
    origin,
    ranks,
    sequence,
    heads,
    kvHeads: heads,
    headDim,
    qkv: turned,
    values: { v: kv, dim: valueDim, first: plainDim, step: plainDim + valueDim },
    ...headTables(context, layer, ranks),
    y,
    rules: scoreRules(layer),
  };
}

/** As `expanded`, of new tokens against the cache. */
function absorbed(
  context: LayerContext,
  cache: CacheUse,
  layer: AttentionLayer,
  latent: LatentAttention,
  { q, down, normalized, up }: Latents,
  site: Site,
): Tensor {
  const { origin, add } = context;
  const { headDim: plainDim, scale = 1 / Math.sqrt(plainDim + latent.rotaryDim) } = layer;
  const { keyValueRank: rank, rotaryDim, valueDim } = latent;
  const { ranks, heads, replica } = site;
  const { rows } = replica;
  const headDim = rank + rotaryDim;
  const common = {
    op: "head-matmul",
    origin,
    ranks,
    w: up,
    heads,
    step: plainDim + valueDim,
  } as const;
  const x = activation(context, "q/absorbed", ranks, [rows, heads * headDim]);
  add({
    ...common,
    first: 0,
    isTransposed: true,
    x: q,
    y: x,
    k: plainDim,
    n: rank,
    kept: rotaryDim,
  });
  // One key of all heads: the latent, then the part with positions.
  const turned = turn(context, layer, site, {
    x,
    latent: { kv: normalized, down, plainDim: rank, valueDim: 0, rank },
    kvHeads: 1,
    headDim,
  });
  const held = keep(context, cache, latent, site, normalized, {
    x: turned,
    first: heads * headDim + rank,
  });
  const seen = activation(context, "attended/latents", ranks, [rows, heads * rank]);
  attendToCache(context, cache, replica, {
    ...held,
    q: turned,
    heads,
    kvHeads: 1,
    headDim,
    valueDim: rank,
    isLatent: true,
    rules: { ...scoreRules(layer), scale },
    ...headTables(context, layer, ranks),
    y: seen,
  });
  const y = activation(context, "attended", ranks, [rows, heads * valueDim]);
  add({
    ...common,
    first: plainDim,
    isTransposed: false,
    x: seen,
    y,
    k: rank,
    n: valueDim,
    kept: 0,
  });
  return y;
}

type Heads = Required<Pick<RotaryOp, "x" | "latent" | "kvHeads" | "headDim">>;

/** Queries and keys [rows, (heads + kvHeads) · headDim], the last of each head turned by positions. */
function turn(
  context: LayerContext,
  { rotary, temperature }: AttentionLayer,
  { ranks, heads, sequence, replica }: Site,
  own: Heads,
): Tensor {
  const { origin, add } = context;
  const { kvHeads, headDim, latent } = own;
  const y = activation(context, "turned", ranks, [replica.rows, (heads + kvHeads) * headDim]);
  const isPlaced = rotary !== undefined || temperature !== undefined;
  const places = isPlaced ? positionsOf(context, ranks, replica, sequence) : { sequence };
  add({
    op: "rotary",
    origin,
    ranks,
    ...own,
    ...places,
    heads,
    y,
    ...(temperature === undefined ? {} : { temperature }),
    ...(rotary && { turn: turnBy(context, rotary, latent.plainDim, places.sequence, ranks) }),
  });
  return y;
}

/** Of each new token its latent, and what positions turned: of heads that share it the first one's. */
function keep(
  context: LayerContext,
  cache: CacheUse,
  { keyValueRank, rotaryDim }: LatentAttention,
  { ranks, replica }: Site,
  normalized: Tensor,
  turned: { readonly x: Tensor; readonly first: number },
): ReturnType<typeof appendToCache> {
  return appendToCache(context, cache, ranks, replica, {
    left: { x: normalized, first: 0, size: keyValueRank },
    right: { ...turned, step: rotaryDim, dim: rotaryDim, heads: 1 },
  });
}
