import {
  cachedKeysSeen,
  cachePieces,
  type CachedAttentionShape,
  pieceElements,
  usedPieces,
} from "./attend_cache.ts";
import { sinksPrelude } from "./attention_shape.ts";
import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement } from "./storage.ts";

/** Attention over a whole cache from what `attend_cache` found in its pieces. */
export const combineAttention: Kernel<CachedAttentionShape> = {
  name: "combine_attention",
  bindings: ({ sinks }) => [
    { ...read("partials", "f32"), slot: 0 },
    { ...read("spans", "u32"), slot: 1 },
    ...(sinks === undefined ? [] : [{ ...read("sinks", "f32"), slot: 3 }]),
    { ...write("y"), slot: 2 },
  ],
  preludes: ({ sinks }) => ["attention/keys_seen", sinksPrelude({ ...(sinks && { sinks }) })],
  constants: (shape) => ({
    ...cachedKeysSeen(shape),
    BATCH: shape.batch,
    QUERIES: shape.queries,
    PIECES: cachePieces(shape),
    HEADS: shape.heads,
    VALUE_DIM: shape.valueDim,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ batch, queries, heads, valueDim }) => flatGrid((batch * queries * heads * valueDim) / 4),
  flops: (shape) => 2 * usedPieces(shape) * pieceElements(shape),
  bytes: (shape, dtype) => {
    const { batch, queries, heads, valueDim, sinks } = shape;
    return (
      4 * usedPieces(shape) * pieceElements(shape) +
      8 * batch +
      batch * queries * heads * valueDim * bytesPerElement(dtype) +
      (sinks === undefined ? 0 : 4 * heads)
    );
  },
};
