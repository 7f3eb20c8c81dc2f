import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface GatherColumnsShape {
  readonly rows: number;
  readonly pieces: number;
  readonly pieceColumns: number;
}

/** Weaves column shards together: y[row, piece · pieceColumns + c] = x[piece, row, c]. */
export const gatherColumns: Kernel<GatherColumnsShape> = {
  name: "gather_columns",
  bindings: [read("x"), write("y")],
  ...inRuns<GatherColumnsShape>(
    ({ rows, pieces, pieceColumns }) => rows * rowQuads(pieces * pieceColumns),
    ({ rows, pieces, pieceColumns }) => ({
      ROWS: rows,
      PIECES: pieces,
      PIECE_COLUMNS: pieceColumns,
    }),
  ),
  flops: () => 0,
  bytes: ({ rows, pieces, pieceColumns }, dtype) =>
    (pieces * paddedElements(rows, pieceColumns) + paddedElements(rows, pieces * pieceColumns)) *
    bytesPerElement(dtype),
};
