import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { rowPitch } from "./storage.ts";

export interface CrossEntropyShape {
  readonly rows: number;
  /** Of columns, whose statistics lie one after the other: [blocks, rows, 4]. */
  readonly blocks: number;
}

/** losses f32 [rows] = −log softmax(logits)[label], from the statistics of all blocks of columns. */
export const crossEntropy: Kernel<CrossEntropyShape> = {
  name: "cross_entropy",
  bindings: [read("statistics", "f32"), write("losses", "f32")],
  preludes: () => ["losses/softmax"],
  constants: ({ rows, blocks }) => ({ ROWS: rows, BLOCKS: blocks, WORKGROUP: workgroupSize }),
  grid: ({ rows }) => flatGrid(rowPitch(rows)),
  flops: ({ rows, blocks }) => 4 * rows * blocks,
  bytes: ({ rows, blocks }) => 16 * blocks * rows + 4 * rowPitch(rows),
};
