// Attention of few new tokens against a cache of keys and values, as when decoding. The cache is cut into
// pieces that are attended each by itself, so that one query keeps a whole GPU busy; `combine_attention`
// joins what they found.

import { cachePrelude, type CacheShape, tableWords } from "./cache_shape.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

export interface CachedAttentionShape extends CacheShape {
  /** Tokens of a request that are cached as a rule, the new ones included: FLOPs and bytes count them. */
  readonly expectedKeys: number;
}

/** Keys of a piece, and invocations of a workgroup. */
const pieceKeys = 64;

export function cachePieces({
  pageTokens,
  pages,
}: Pick<CacheShape, "pageTokens" | "pages">): number {
  return ceilDiv(pageTokens * pages, pieceKeys);
}

/** Of them, those that hold the expected keys. */
export function usedPieces({ expectedKeys }: CachedAttentionShape): number {
  return ceilDiv(expectedKeys, pieceKeys);
}

/** Query heads with the same key head, for every new token: they share what is loaded. */
function sharingRows({ queries, heads, kvHeads }: CacheShape): number {
  return (queries * heads) / kvHeads;
}

/** Of those, how many one workgroup takes: as many sums does a lane hold. */
function groupRows(shape: CacheShape): 1 | 4 | 8 {
  const rows = sharingRows(shape);
  if (rows === 1) return 1;
  return rows <= 4 ? 4 : 8;
}

/** f32 elements that one piece leaves for `combine_attention`. */
export function pieceElements({ batch, queries, heads, headDim }: CacheShape): number {
  return batch * queries * heads * (headDim + 4);
}

/**
 * Per query, head and piece of the cache: exp(score - largest) · v, the largest score and the sum of
 * exponentials. A new token sees itself and earlier ones. Pieces past a request's tokens are left as they were.
 */
export const attendCache: Kernel<CachedAttentionShape> = {
  name: "attend_cache",
  bindings: ({ cacheDtype }) => [
    read("qkv"),
    read("spans", "u32"),
    read("pages", "u32"),
    read("k", cacheDtype),
    read("v", cacheDtype),
    write("partials", "f32"),
  ],
  preludes: cachePrelude,
  constants: (shape) => ({
    QUERIES: shape.queries,
    PAGE_TOKENS: shape.pageTokens,
    PAGES: shape.pages,
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
  // Of several new tokens the first sees fewer.
  flops: ({ batch, queries, expectedKeys, heads, headDim }) =>
    4 * batch * queries * (expectedKeys - (queries - 1) / 2) * heads * headDim,
  bytes: (shape, dtype) => {
    const { batch, queries, expectedKeys, heads, kvHeads, headDim, cacheDtype } = shape;
    return (
      batch * queries * heads * headDim * bytesPerElement(dtype) +
      2 * batch * expectedKeys * kvHeads * headDim * bytesPerElement(cacheDtype) +
      4 * tableWords(shape) +
      4 * usedPieces(shape) * pieceElements(shape)
    );
  },
};
