import { type Kernel, read, write } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface SoftmaxShape {
  readonly rows: number;
  readonly columns: number;
}

/** y = exp(x - max) / Σ exp(x - max), over each row. */
export const softmax: Kernel<SoftmaxShape> = {
  name: "softmax",
  bindings: [read("x"), write("y")],
  preludes: () => ["softmax/rows"],
  ...inRows<SoftmaxShape>(
    rowsAtOnce,
    (shape) => shape,
    ({ rows, columns }) => ({ ROWS: rows, COLUMNS: columns }),
  ),
  prelude: laneSums,
  flops: ({ rows, columns }) => 4 * rows * columns,
  bytes: ({ rows, columns }, dtype) => 2 * paddedElements(rows, columns) * bytesPerElement(dtype),
};
