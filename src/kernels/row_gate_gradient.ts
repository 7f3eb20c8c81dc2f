import { type Kernel, read, write } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface RowGateGradientShape {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Of y = p · sigmoid(gate), a logit for each row: dp [rows, columns] and dgate [rows, 1], from y itself and its gradient dy.
 */
export const rowGateGradient: Kernel<RowGateGradientShape> = {
  name: "row_gate_gradient",
  bindings: [read("y"), read("gate"), read("dy"), write("dp"), write("dgate")],
  prelude: laneSums,
  ...inRows<RowGateGradientShape>(
    rowsAtOnce,
    (shape) => shape,
    ({ rows, columns }) => ({ ROWS: rows, COLUMNS: columns }),
  ),
  flops: ({ rows, columns }) => 3 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (3 * paddedElements(rows, columns) + 2 * paddedElements(rows, 1)) * bytesPerElement(dtype),
};
