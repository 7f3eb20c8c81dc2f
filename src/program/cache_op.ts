// Ops over the caches of keys and values, as steps of serving have them.

import type { AppendCacheShape } from "../kernels/append_cache.ts";
import type { AttentionScoreRules } from "./attention_op.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";
import type { Tile } from "./tile.ts";

interface CacheOp extends OpBase {
  readonly spans: Tensor;
  readonly pages: Tensor;
  /** [pages · pageTokens, columns] */
  readonly cache: Tensor;
  /** New tokens of a request at most. */
  readonly queries: number;
  readonly pageTokens: number;
}

/** What is kept of new tokens into the cache: first columns from one tensor, the rest from another or the same. */
export interface AppendCacheOp extends CacheOp {
  readonly op: "append-cache";
  readonly left: { readonly x: Tensor } & Omit<AppendCacheShape["left"], "columns">;
  readonly right: { readonly x: Tensor } & Omit<AppendCacheShape["right"], "columns">;
}

interface CachedAttentionOp extends CacheOp {
  /** Its first columns are the queries of the rank's heads. */
  readonly q: Tensor;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  /** Values are the first columns of keys. */
  readonly isLatent?: true;
  readonly rules: AttentionScoreRules;
  /** As of `attention`. */
  readonly sinks?: Tensor;
  readonly alibiHeads?: number;
  readonly expectedKeys: number;
  readonly partials: Tensor;
}

/** Attention of new tokens against what is cached, piece by piece. */
export interface AttendCacheOp extends CachedAttentionOp {
  readonly op: "attend-cache";
  /** Of the key heads: those that `cache` holds; behind the first, `partials` keeps those of others. */
  readonly tile?: Tile;
}

/** y = what the pieces give together. */
export interface CombineAttentionOp extends CachedAttentionOp {
  readonly op: "combine-attention";
  readonly y: Tensor;
}
