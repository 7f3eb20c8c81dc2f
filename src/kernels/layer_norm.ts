import { rowReduction, rowReductionGrid } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface LayerNormShape {
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
}

/** y = (x - mean) / √(variance + epsilon) · gain + bias, over each row. */
export const layerNorm: Kernel<LayerNormShape> = {
  name: "layer_norm",
  bindings: [read("x"), read("gain"), read("bias"), write("y")],
  constants: ({ rows, columns, epsilon }) => ({
    ROWS: rows,
    COLUMNS: columns,
    EPSILON: epsilon,
    ...rowReduction,
  }),
  grid: ({ rows }) => rowReductionGrid(rows),
  flops: ({ rows, columns }) => 7 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (2 * paddedElements(rows, columns) + 2 * columns) * bytesPerElement(dtype),
};
