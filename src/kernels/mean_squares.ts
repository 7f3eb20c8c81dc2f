import { type Kernel, read, write } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";
import { bytesPerElement } from "./storage.ts";

export interface MeanSquaresShape {
  readonly rows: number;
  /** Of x; a multiple of 4. */
  readonly columns: number;
  /** First columns of x, and those after them; multiples of 4. */
  readonly queryColumns: number;
  readonly keyColumns: number;
  /** Ranks whose results are added up. */
  readonly ranks: number;
}

/** Per row, what this rank adds to the mean of the squares of all queries and of all keys: y f32 [rows, 4], the rest 0. */
export const meanSquares: Kernel<MeanSquaresShape> = {
  name: "mean_squares",
  bindings: [read("x"), write("y", "f32")],
  ...inRows<MeanSquaresShape>(
    rowsAtOnce,
    ({ rows, queryColumns }) => ({ rows, columns: queryColumns }),
    ({ rows, columns, queryColumns, keyColumns, ranks }) => ({
      ROWS: rows,
      X_QUADS: columns / 4,
      QUERY_QUADS: queryColumns / 4,
      KEY_QUADS: keyColumns / 4,
      QUERY_SHARE: 1 / (ranks * queryColumns),
      KEY_SHARE: 1 / (ranks * keyColumns),
    }),
  ),
  prelude: laneSums,
  flops: ({ rows, queryColumns, keyColumns }) => 2 * rows * (queryColumns + keyColumns),
  bytes: ({ rows, queryColumns, keyColumns }, dtype) =>
    rows * (queryColumns + keyColumns) * bytesPerElement(dtype) + 16 * rows,
};
