import { type Kernel, read, write } from "./kernel.ts";
import type { LogitsShape } from "./loss_statistics.ts";
import { inRows } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface CrossEntropyGradientShape extends LogitsShape {
  /** As of `cross_entropy`. */
  readonly blocks: number;
  readonly scale: number;
}

/** dx [rows, columns] = scale · (softmax(logits) − 1 where the column is the label's). */
export const crossEntropyGradient: Kernel<CrossEntropyGradientShape> = {
  name: "cross_entropy_gradient",
  bindings: [read("logits"), read("labels", "u32"), read("statistics", "f32"), write("dx")],
  preludes: () => ["losses/softmax"],
  ...inRows<CrossEntropyGradientShape>(
    1,
    (shape) => shape,
    ({ rows, columns, firstColumn, blocks, scale }) => ({
      ROWS: rows,
      COLUMNS: columns,
      FIRST_COLUMN: firstColumn,
      BLOCKS: blocks,
      SCALE: scale,
    }),
  ),
  flops: ({ rows, columns }) => 4 * rows * columns,
  bytes: ({ rows, columns, blocks }, dtype) =>
    2 * paddedElements(rows, columns) * bytesPerElement(dtype) + (4 + 16 * blocks) * rows,
};
