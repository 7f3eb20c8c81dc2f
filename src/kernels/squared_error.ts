import { type Kernel, read, write } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements, rowPitch } from "./storage.ts";

export interface SquaredErrorShape {
  readonly rows: number;
  readonly columns: number;
}

/** losses f32 [rows] = ½ · Σ (x − targets)², over each row. */
export const squaredError: Kernel<SquaredErrorShape> = {
  name: "squared_error",
  bindings: [read("x"), read("targets"), write("losses", "f32")],
  prelude: laneSums,
  ...inRows<SquaredErrorShape>(
    rowsAtOnce,
    (shape) => shape,
    ({ rows, columns }) => ({ ROWS: rows, COLUMNS: columns }),
  ),
  flops: ({ rows, columns }) => 3 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    2 * paddedElements(rows, columns) * bytesPerElement(dtype) + 4 * rowPitch(rows),
};
