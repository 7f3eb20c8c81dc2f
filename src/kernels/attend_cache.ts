// Attention of few new tokens against a cache of keys and values, as when decoding. The cache is cut into
// pieces that are attended each by itself, so that one query keeps a whole GPU busy; `combine_attention`
// joins what they found.

import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

export interface CachedAttentionShape {
  /** Sequences. */
  readonly batch: number;
  /** New tokens of each sequence, the last of those that are cached. */
  readonly queries: number;
  /** Tokens of a sequence that the cache has room for. */
  readonly capacity: number;
  /** Tokens of a sequence that are cached as a rule, the new ones included: FLOPs and bytes count them. */
  readonly expectedKeys: number;
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** A multiple of 4, at most 256. */
  readonly headDim: number;
}

/** Keys of a piece, and invocations of a workgroup. */
const pieceKeys = 64;

export function cachePieces({ capacity }: CachedAttentionShape): number {
  return ceilDiv(capacity, pieceKeys);
}

/** Query heads with the same key head, for every new token: they share what is loaded. */
function sharingRows({ queries, heads, kvHeads }: CachedAttentionShape): number {
  return (queries * heads) / kvHeads;
}

/** Of those, how many one workgroup takes: as many sums does a lane hold. */
function groupRows(shape: CachedAttentionShape): 1 | 4 | 8 {
  const rows = sharingRows(shape);
  if (rows === 1) return 1;
  return rows <= 4 ? 4 : 8;
}

/** f32 elements of what `attend_cache` leaves for `combine_attention`. */
export function partialElements(shape: CachedAttentionShape): number {
  return shape.batch * shape.queries * shape.heads * cachePieces(shape) * (shape.headDim + 4);
}

/**
 * Per query, head and piece of the cache: exp(score - largest) · v, the largest score and the sum of
 * exponentials. `lengths` says how many tokens of each sequence are cached; a new token sees itself and
 * earlier ones. Pieces past a sequence's length are left as they were.
 */
export const attendCache: Kernel<CachedAttentionShape> = {
  name: "attend_cache",
  bindings: [read("q"), read("k"), read("v"), read("lengths", "u32"), write("partials", "f32")],
  constants: (shape) => ({
    QUERIES: shape.queries,
    CAPACITY: shape.capacity,
    HEADS: shape.heads,
    KV_HEADS: shape.kvHeads,
    HEAD_DIM: shape.headDim,
    ROWS: groupRows(shape),
  }),
  grid: (shape) => [
    cachePieces(shape),
    shape.kvHeads * ceilDiv(sharingRows(shape), groupRows(shape)),
    shape.batch,
  ],
  flops: ({ batch, queries, expectedKeys, heads, headDim }) =>
    4 * batch * queries * expectedKeys * heads * headDim,
  bytes: (shape, dtype) => {
    const { batch, queries, expectedKeys, heads, kvHeads, headDim } = shape;
    const stored = batch * (queries * heads + 2 * expectedKeys * kvHeads) * headDim;
    const used = ceilDiv(expectedKeys, pieceKeys) / cachePieces(shape);
    return stored * bytesPerElement(dtype) + 4 * batch + 4 * used * partialElements(shape);
  },
};
