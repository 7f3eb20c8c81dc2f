import { type Kernel, read, write } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** Logits `x` [rows, columns], of which the columns are the classes from `firstColumn` on. */
export interface LogitsShape {
  readonly rows: number;
  readonly columns: number;
  readonly firstColumn: number;
}

/**
 * `statistics` f32 [rows, 4]: of each row's logits the largest, Σ exp(logit − largest), and that of the label and 1 where it
 * is among the columns, else 0 and 0.
 */
export const lossStatistics: Kernel<LogitsShape> = {
  name: "loss_statistics",
  bindings: [read("x"), read("labels", "u32"), write("statistics", "f32")],
  preludes: () => ["softmax/rows"],
  prelude: laneSums,
  ...inRows<LogitsShape>(
    rowsAtOnce,
    (shape) => shape,
    ({ rows, columns, firstColumn }) => ({
      ROWS: rows,
      COLUMNS: columns,
      FIRST_COLUMN: firstColumn,
    }),
  ),
  flops: ({ rows, columns }) => 3 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    paddedElements(rows, columns) * bytesPerElement(dtype) + 20 * rows,
};
