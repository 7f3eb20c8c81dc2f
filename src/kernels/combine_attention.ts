import { cachePieces, type CachedAttentionShape, partialElements } from "./attend_cache.ts";
import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, rowQuads } from "./storage.ts";

/** Attention over a whole cache from what `attend_cache` found in its pieces. */
export const combineAttention: Kernel<CachedAttentionShape> = {
  name: "combine_attention",
  bindings: [read("partials", "f32"), read("lengths", "u32"), write("y")],
  constants: ({ batch, queries, capacity, heads, headDim }) => ({
    BATCH: batch,
    QUERIES: queries,
    CAPACITY: capacity,
    HEADS: heads,
    HEAD_DIM: headDim,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ batch, queries, heads, headDim }) =>
    flatGrid(batch * queries * heads * rowQuads(headDim)),
  flops: (shape) => 2 * usedElements(shape),
  bytes: (shape, dtype) => {
    const { batch, queries, heads, headDim } = shape;
    return (
      4 * usedElements(shape) +
      4 * batch +
      batch * queries * heads * headDim * bytesPerElement(dtype)
    );
  },
};

/** Of the partial results, those of the expected keys. */
function usedElements(shape: CachedAttentionShape): number {
  return (
    (partialElements(shape) / cachePieces(shape)) *
    cachePieces({ ...shape, capacity: shape.expectedKeys })
  );
}
