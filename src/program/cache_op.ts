// Ops over the caches of keys and values, as steps of serving have them.

import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";

interface CacheOp extends OpBase {
  readonly spans: Tensor;
  /** New tokens of a request at most. */
  readonly queries: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

interface PagedOp extends CacheOp {
  /** As of `attention`. */
  readonly qkv: Tensor;
  readonly pages: Tensor;
  /** [pages · pageTokens, KV heads · head dimension] */
  readonly k: Tensor;
  readonly v: Tensor;
  readonly pageTokens: number;
}

/** Keys and values of new tokens into the caches. */
export interface AppendCacheOp extends PagedOp {
  readonly op: "append-cache";
}

/** Attention of new tokens against what is cached, piece by piece. */
export interface AttendCacheOp extends PagedOp {
  readonly op: "attend-cache";
  readonly partials: Tensor;
  readonly expectedKeys: number;
}

/** y = what the pieces give together. */
export interface CombineAttentionOp
  extends CacheOp, Pick<AttendCacheOp, "partials" | "expectedKeys" | "pages" | "k" | "pageTokens"> {
  readonly op: "combine-attention";
  readonly y: Tensor;
}
