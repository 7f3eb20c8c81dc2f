import { fold, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

export interface AttentionBlockStatisticsShape {
  readonly rows: number;
  readonly heads: number;
  /** A multiple of 4. */
  readonly valueDim: number;
}

/**
 * What the backward pass of attention over blocks needs of each query and head: `statistics` f32 [rows, heads, 2], the
 * logarithm that the last block gave, and dy · y.
 */
export const attentionBlockStatistics: Kernel<AttentionBlockStatisticsShape> = {
  name: "attention_block_statistics",
  bindings: [read("logarithms", "f32"), read("y"), read("dy"), write("statistics", "f32")],
  constants: ({ rows, heads, valueDim }) => ({
    ROWS: rows * heads,
    VALUE_QUADS: valueDim / 4,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ rows, heads }) => [...fold(ceilDiv(rows * heads, workgroupSize)), 1],
  flops: ({ rows, heads, valueDim }) => 2 * rows * heads * valueDim,
  bytes: ({ rows, heads, valueDim }, dtype) =>
    rows * heads * (2 * valueDim * bytesPerElement(dtype) + 12),
};
