import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface AddShape {
  readonly rows: number;
  readonly columns: number;
}

/** y = a + b. */
export const add: Kernel<AddShape> = {
  name: "add",
  bindings: [read("a"), read("b"), write("y")],
  constants: ({ rows, columns }) => ({ ROWS: rows, COLUMNS: columns, WORKGROUP: workgroupSize }),
  grid: ({ rows, columns }) => flatGrid(rows * rowQuads(columns)),
  flops: ({ rows, columns }) => rows * columns,
  bytes: ({ rows, columns }, dtype) => 3 * paddedElements(rows, columns) * bytesPerElement(dtype),
};
