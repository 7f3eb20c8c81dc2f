import { rowReduction, rowReductionGrid } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface RmsNormShape {
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
}

/** y = x / √(mean(x²) + epsilon) · gain, over each row. */
export const rmsNorm: Kernel<RmsNormShape> = {
  name: "rms_norm",
  bindings: [read("x"), read("gain"), write("y")],
  constants: ({ rows, columns, epsilon }) => ({
    ROWS: rows,
    COLUMNS: columns,
    EPSILON: epsilon,
    ...rowReduction,
  }),
  grid: ({ rows }) => rowReductionGrid(rows),
  flops: ({ rows, columns }) => 4 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (2 * paddedElements(rows, columns) + columns) * bytesPerElement(dtype),
};
