import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface SliceColumnsShape {
  readonly rows: number;
  readonly inputColumns: number;
  readonly offset: number;
  readonly columns: number;
}

/** y[row, c] = x[row, offset + c]. */
export const sliceColumns: Kernel<SliceColumnsShape> = {
  name: "slice_columns",
  bindings: [read("x"), write("y")],
  ...inRuns<SliceColumnsShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, inputColumns, offset, columns }) => ({
      ROWS: rows,
      INPUT_COLUMNS: inputColumns,
      OFFSET: offset,
      COLUMNS: columns,
    }),
  ),
  flops: () => 0,
  bytes: ({ rows, columns }, dtype) => 2 * paddedElements(rows, columns) * bytesPerElement(dtype),
};
