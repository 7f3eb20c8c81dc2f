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
  /** Of the backward pass: products with bindings `dy`, as x lies, and `gains` of all heads, in the place of squares. */
  readonly gradient?: true;
}

function normedColumns({ queryColumns, keyColumns }: MeanSquaresShape): number {
  return queryColumns + keyColumns;
}

/**
 * Per row, what this rank adds to the mean of the squares of all queries and of all keys: y f32 [rows, 4], the rest 0. With
 * `gradient`, to the means of x · dy · gains.
 */
export const meanSquares: Kernel<MeanSquaresShape> = {
  name: "mean_squares",
  bindings: ({ gradient }) => [
    { ...read("x"), slot: 0 },
    ...(gradient === true
      ? [
          { ...read("dy"), slot: 2 },
          { ...read("gains"), slot: 3 },
        ]
      : []),
    { ...write("y", "f32"), slot: 1 },
  ],
  preludes: ({ gradient }) => [`factors/${gradient === true ? "weighted_gradient" : "itself"}`],
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
  flops: (shape) => (shape.gradient === true ? 3 : 2) * shape.rows * normedColumns(shape),
  bytes: (shape, dtype) => {
    const { rows, gradient } = shape;
    const columns = normedColumns(shape);
    const stored = gradient === true ? (2 * rows + 1) * columns : rows * columns;
    return stored * bytesPerElement(dtype) + 16 * rows;
  },
};
