import {
  cachePieces,
  type CachedAttentionShape,
  pieceElements,
  usedPieces,
} from "./attend_cache.ts";
import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, rowQuads } from "./storage.ts";

/** Attention over a whole cache from what `attend_cache` found in its pieces. */
export const combineAttention: Kernel<CachedAttentionShape> = {
  name: "combine_attention",
  bindings: [read("partials", "f32"), read("spans", "u32"), write("y")],
  constants: (shape) => ({
    BATCH: shape.batch,
    QUERIES: shape.queries,
    PIECES: cachePieces(shape),
    HEADS: shape.heads,
    HEAD_DIM: shape.headDim,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ batch, queries, heads, headDim }) =>
    flatGrid(batch * queries * heads * rowQuads(headDim)),
  flops: (shape) => 2 * usedPieces(shape) * pieceElements(shape),
  bytes: (shape, dtype) => {
    const { batch, queries, heads, headDim } = shape;
    return (
      4 * usedPieces(shape) * pieceElements(shape) +
      8 * batch +
      batch * queries * heads * headDim * bytesPerElement(dtype)
    );
  },
};
