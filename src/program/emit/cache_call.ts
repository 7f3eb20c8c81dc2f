// The kernels over caches of keys and values that ops of serving run.

import type { CacheShape } from "../../kernels/cache_shape.ts";
import type { AppendCacheOp, AttendCacheOp, CombineAttentionOp } from "../cache_op.ts";
import { whole } from "../tensor.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

type CacheOp = AppendCacheOp | AttendCacheOp | CombineAttentionOp;

export function cacheCall(op: CacheOp, rank: number): EmittedKernel {
  const shape = cacheShapeOf(op, rank);
  if (op.op === "append-cache") {
    const operands = [op.qkv, op.spans, op.pages, op.k, op.v].map(whole);
    return { call: { kernel: "append_cache", shape }, operands };
  }
  const attended = { ...shape, expectedKeys: op.expectedKeys };
  if (op.op === "combine-attention") {
    const operands = [op.partials, op.spans, op.y].map(whole);
    return { call: { kernel: "combine_attention", shape: attended }, operands };
  }
  const operands = [op.qkv, op.spans, op.pages, op.k, op.v, op.partials].map(whole);
  return { call: { kernel: "attend_cache", shape: attended }, operands };
}

function cacheShapeOf(op: CacheOp, rank: number): CacheShape {
  const { queries, pageTokens, heads, kvHeads, headDim, k } = op;
  const [batch = 0, pages = 0] = sizes(op.pages, rank);
  const cacheDtype = k.dtype === "f16" ? "f16" : "f32";
  return { batch, queries, pageTokens, pages, heads, kvHeads, headDim, cacheDtype };
}
