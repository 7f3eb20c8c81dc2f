// Attention of a step of serving: keys and values of new tokens go into a cache that stays from step to step, and new
// tokens see what lies there.

import type { AttentionOp } from "../attention_op.ts";
import type { AppendCacheOp, AttendCacheOp } from "../cache_op.ts";
import { cachePieces } from "../../kernels/attend_cache.ts";
import { cacheTables, type RowRange } from "../serving/cache_tables.ts";
import { type CacheUse, keysSeen, slotsOfReplicas } from "../serving/caches.ts";
import { sameOn, type Tensor } from "../tensor.ts";
import { activation, type LayerContext } from "./context.ts";

/** A group of ranks with requests of its own. */
export interface Replica extends RowRange {
  readonly index: number;
  /** In all. */
  readonly count: number;
}

type NewAttention = Omit<AttentionOp, "place">;

/** As the op says it, but through the cache. */
export function cachedAttention(
  context: LayerContext,
  cache: CacheUse,
  op: NewAttention,
  replica: Replica,
): void {
  const { add } = context;
  const { qkv, y, heads, kvHeads, headDim, rules, sinks, alibiHeads } = op;
  const keys = heads * headDim;
  const values = op.values ?? {
    v: qkv,
    dim: headDim,
    first: keys + kvHeads * headDim,
    step: headDim,
  };
  const { dim: valueDim, first, step } = values;
  const held = appendToCache(context, cache, op.ranks, replica, {
    left: { x: qkv, first: keys, size: kvHeads * headDim },
    right: { x: values.v, first, step, dim: valueDim, heads: kvHeads },
  });
  if (cache.isFresh) {
    add(op);
    return;
  }
  attendToCache(context, cache, replica, {
    ...held,
    q: qkv,
    heads,
    kvHeads,
    headDim,
    valueDim,
    rules,
    ...(sinks && { sinks }),
    ...(alibiHeads === undefined ? {} : { alibiHeads }),
    y,
  });
}

type Held = Pick<
  AppendCacheOp,
  "origin" | "ranks" | "spans" | "pages" | "cache" | "queries" | "pageTokens"
>;

/** What is kept of new tokens, for all requests that the replica runs at once. */
export function appendToCache(
  context: LayerContext,
  cache: CacheUse,
  ranks: readonly number[],
  replica: Replica,
  { left, right }: Pick<AppendCacheOp, "left" | "right">,
): Held {
  const { origin, add, workload } = context;
  const { queries, pages, pageTokens, cacheDtype } = cache;
  const { phase } = workload;
  const slots =
    phase === undefined ? 0 : (slotsOfReplicas(phase, replica.count)[replica.index] ?? 0);
  const columns = left.size + right.heads * right.dim;
  const held = {
    origin,
    ranks,
    ...cacheTables(context, cache, ranks, replica),
    cache: {
      name: `${origin.layer}/cache`,
      layer: origin.layer,
      role: "cache",
      dtype: cacheDtype,
      parts: sameOn(ranks, { shape: [slots * pages * pageTokens, columns] }),
    },
    queries,
    pageTokens,
  } as const;
  add({ op: "append-cache", ...held, left, right });
  return held;
}

/** y [rows, heads · valueDim] = attention of the new tokens against the cache. */
export function attendToCache(
  context: LayerContext,
  cache: CacheUse,
  { rows }: RowRange,
  {
    y,
    ...attended
  }: Omit<AttendCacheOp, "op" | "place" | "partials" | "expectedKeys"> & { readonly y: Tensor },
): void {
  const { add } = context;
  const { ranks, heads, valueDim, rules } = attended;
  const shape = [rows * heads, cachePieces(cache) * (valueDim + 4)];
  const partials = activation(context, "partials", ranks, shape, "f32");
  const own = { ...attended, partials, expectedKeys: keysSeen(cache, rules) };
  add({ op: "attend-cache", ...own });
  add({ op: "combine-attention", ...own, y });
}
