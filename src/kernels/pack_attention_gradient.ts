import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement } from "./storage.ts";

export interface PackAttentionGradientShape {
  readonly rows: number;
  /** Of `dq`, and of `own` and `arrived`; multiples of 4. */
  readonly queryColumns: number;
  readonly keyColumns: number;
  /** Which of them, queries' before keys' and values', y has. */
  readonly first: number;
  readonly columns: number;
}

/** y [rows, columns] = columns of (dq | own + arrived), which are f32: `arrived` is what other ranks found of the keys. */
export const packAttentionGradient: Kernel<PackAttentionGradientShape> = {
  name: "pack_attention_gradient",
  bindings: [read("dq", "f32"), read("own", "f32"), read("arrived", "f32"), write("y")],
  ...inRuns<PackAttentionGradientShape>(
    ({ rows, columns }) => (rows * columns) / 4,
    ({ rows, queryColumns, keyColumns, first, columns }) => ({
      ROWS: rows,
      QUERY_QUADS: queryColumns / 4,
      KEY_QUADS: keyColumns / 4,
      FIRST: first / 4,
      QUADS: columns / 4,
    }),
  ),
  flops: (shape) => shape.rows * (shape.columns - ownQueries(shape)),
  bytes: (shape, dtype) => {
    const { rows, columns } = shape;
    const read4 = 2 * columns - ownQueries(shape);
    return rows * (4 * read4 + columns * bytesPerElement(dtype));
  },
};

/** Columns of queries among those of y. */
function ownQueries({ queryColumns, first, columns }: PackAttentionGradientShape): number {
  return Math.max(0, Math.min(queryColumns, first + columns) - first);
}
