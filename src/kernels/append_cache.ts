import { cachePrelude, type CacheShape, tableWords } from "./cache_shape.ts";
import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, update } from "./kernel.ts";
import { bytesPerElement } from "./storage.ts";

/** Keys and values of new tokens into the caches, which keep all else. */
export const appendCache: Kernel<CacheShape> = {
  name: "append_cache",
  bindings: ({ cacheDtype }) => [
    read("qkv"),
    read("spans", "u32"),
    read("pages", "u32"),
    update("k", cacheDtype),
    update("v", cacheDtype),
  ],
  preludes: cachePrelude,
  constants: ({ batch, queries, pageTokens, pages, heads, kvHeads, headDim }) => ({
    BATCH: batch,
    QUERIES: queries,
    PAGE_TOKENS: pageTokens,
    PAGES: pages,
    HEADS: heads,
    KV_HEADS: kvHeads,
    HEAD_DIM: headDim,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ batch, queries, kvHeads, headDim }) =>
    flatGrid((batch * queries * kvHeads * headDim) / 4),
  flops: () => 0,
  bytes: (shape, dtype) => {
    const { batch, queries, kvHeads, headDim, cacheDtype } = shape;
    const moved = 2 * batch * queries * kvHeads * headDim;
    return moved * (bytesPerElement(dtype) + bytesPerElement(cacheDtype)) + 4 * tableWords(shape);
  },
};
