import { accumulate, type Kernel, read } from "./kernel.ts";
import { inRuns } from "./runs.ts";

export interface PutColumnsShape {
  readonly rows: number;
  /** Of x; a multiple of 4, as the others. */
  readonly columns: number;
  /** Of y. */
  readonly outputColumns: number;
  /** The first of y that are written over. */
  readonly offset: number;
}

/** y[row, offset + c] = x[row, c], f32; the other columns of y stay. */
export const putColumns: Kernel<PutColumnsShape> = {
  name: "put_columns",
  bindings: [read("x", "f32"), accumulate("y")],
  ...inRuns<PutColumnsShape>(
    ({ rows, columns }) => (rows * columns) / 4,
    ({ rows, columns, outputColumns, offset }) => ({
      ROWS: rows,
      QUADS: columns / 4,
      Y_QUADS: outputColumns / 4,
      OFFSET: offset / 4,
    }),
  ),
  flops: () => 0,
  bytes: ({ rows, columns }) => 8 * rows * columns,
};
