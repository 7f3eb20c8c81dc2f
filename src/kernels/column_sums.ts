import { accumulatedBytes, type Accumulating, inColumns } from "./columns.ts";
import { accumulate, type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";
import { countedRows, type UsedRows, usedRowsBindings } from "./used_rows.ts";

export interface ColumnSumsShape extends Accumulating, UsedRows {
  readonly rows: number;
  readonly columns: number;
}

function parts({ grouped }: ColumnSumsShape): number {
  return grouped?.experts ?? 1;
}

const tiling = inColumns<ColumnSumsShape>(() => ({}));

/**
 * y[column] = Σ x over all rows, or y += it; y is f32. The gradient of a bias from that of what it was added to. Of rows that
 * are grouped by expert those of each by themselves: y [experts, columns].
 */
export const columnSums: Kernel<ColumnSumsShape> = {
  name: "column_sums",
  bindings: (shape) => [
    { ...read("x"), slot: 0 },
    ...usedRowsBindings(shape),
    { ...(shape.accumulate === true ? accumulate("y") : write("y", "f32")), slot: 1 },
  ],
  preludes: ({ grouped }) => [
    "columns/sums",
    `summed_rows/${grouped === undefined ? "all" : "grouped"}`,
  ],
  constants: tiling.constants,
  grid(shape, adapter) {
    const [x, y] = tiling.grid(shape, adapter);
    return [x, y, parts(shape)];
  },
  flops: (shape) => countedRows(shape) * shape.columns,
  bytes: (shape, dtype) =>
    paddedElements(countedRows(shape), shape.columns) * bytesPerElement(dtype) +
    accumulatedBytes(shape, paddedElements(parts(shape), shape.columns)),
};
