// The kernels over caches of keys and values that ops of serving run.

import type { CachedAttentionShape } from "../../kernels/attend_cache.ts";
import type { PagedShape } from "../../kernels/cache_shape.ts";
import type { AppendCacheOp, AttendCacheOp, CombineAttentionOp } from "../cache_op.ts";
import { type Tensor, whole } from "../tensor.ts";
import { alibiOn } from "./attention_call.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

type CachedAttentionOp = AttendCacheOp | CombineAttentionOp;

export function cacheCall(op: AppendCacheOp | CachedAttentionOp, rank: number): EmittedKernel {
  switch (op.op) {
    case "append-cache":
      return appendCall(op, rank);
    case "attend-cache": {
      const operands = [op.q, op.spans, op.pages, op.cache, op.partials].map(whole);
      const shape = attendedShape(op, rank);
      const { tile } = op;
      return {
        call: { kernel: "attend_cache", shape: tile === undefined ? shape : { ...shape, tile } },
        operands,
      };
    }
    case "combine-attention": {
      const read = [op.partials, op.spans, ...(op.sinks === undefined ? [] : [op.sinks])];
      return {
        call: { kernel: "combine_attention", shape: attendedShape(op, rank) },
        operands: [...read, op.y].map(whole),
      };
    }
  }
}

function appendCall(op: AppendCacheOp, rank: number): EmittedKernel {
  const { left, right, spans, pages, cache } = op;
  const columnsOf = (x: Tensor): number => sizes(x, rank)[1] ?? 0;
  const { first, step, dim, heads } = right;
  const shape = {
    ...pagedShape(op, rank),
    left: { columns: columnsOf(left.x), first: left.first, size: left.size },
    right: { columns: columnsOf(right.x), first, step, dim, heads },
  };
  const operands = [left.x, right.x, spans, pages, cache].map(whole);
  return { call: { kernel: "append_cache", shape }, operands };
}

function pagedShape(op: AppendCacheOp | CachedAttentionOp, rank: number): PagedShape {
  const { queries, pageTokens, cache } = op;
  const [batch = 0, pages = 0] = sizes(op.pages, rank);
  const cacheDtype = cache.dtype === "f16" ? "f16" : "f32";
  return { batch, queries, pageTokens, pages, cacheDtype };
}

function attendedShape(op: CachedAttentionOp, rank: number): CachedAttentionShape {
  const { heads, kvHeads, headDim, valueDim, isLatent, alibiHeads, sinks, expectedKeys } = op;
  const { causal: _, ...rules } = op.rules;
  return {
    ...pagedShape(op, rank),
    heads,
    kvHeads,
    headDim,
    valueDim,
    ...(isLatent && { isLatent }),
    ...rules,
    ...(alibiHeads === undefined ? {} : { alibi: alibiOn(op, alibiHeads, rank) }),
    ...(sinks === undefined ? {} : { sinks: true as const }),
    queryColumns: sizes(op.q, rank)[1] ?? 0,
    expectedKeys,
  };
}
