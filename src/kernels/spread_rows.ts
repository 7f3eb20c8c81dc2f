import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface SpreadRowsShape {
  /** Of y, a multiple of `group`. */
  readonly rows: number;
  readonly columns: number;
  /** Rows of y that one row of x becomes. */
  readonly group: number;
  readonly scale: number;
}

/** y[row] = scale · x[row / group]: the gradient of `aggregate`. */
export const spreadRows: Kernel<SpreadRowsShape> = {
  name: "spread_rows",
  bindings: [read("x"), write("y")],
  ...inRuns<SpreadRowsShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns, group, scale }) => ({
      ROWS: rows,
      COLUMNS: columns,
      GROUP: group,
      SCALE: scale,
    }),
  ),
  flops: ({ rows, columns }) => rows * columns,
  bytes: ({ rows, columns, group }, dtype) =>
    (paddedElements(rows, columns) + paddedElements(rows / group, columns)) *
    bytesPerElement(dtype),
};
