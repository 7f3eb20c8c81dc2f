import { accumulatedBytes, type Accumulating, inColumns } from "./columns.ts";
import { accumulate, type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements, rowPitch } from "./storage.ts";

export interface ColumnSumsShape extends Accumulating {
  readonly rows: number;
  readonly columns: number;
  /** Of x: f32 whatever is stored. Default: what is stored. */
  readonly input?: "f32";
}

/** y[column] = Σ x over all rows, or y += it; y is f32. The gradient of a bias from that of what it was added to. */
export const columnSums: Kernel<ColumnSumsShape> = {
  name: "column_sums",
  bindings: (shape) => [
    read("x", shape.input ?? "storage"),
    shape.accumulate === true ? accumulate("y") : write("y", "f32"),
  ],
  preludes: ({ input }) => ["columns/sums", `columns/${input ?? "stored"}`],
  ...inColumns<ColumnSumsShape>(() => ({})),
  flops: ({ rows, columns }) => rows * columns,
  bytes: (shape, dtype) => {
    const { rows, columns, input } = shape;
    const x = paddedElements(rows, columns) * bytesPerElement(input ?? dtype);
    return x + accumulatedBytes(shape, rowPitch(columns));
  },
};
