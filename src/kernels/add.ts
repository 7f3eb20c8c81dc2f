import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface AddShape {
  readonly rows: number;
  readonly columns: number;
  /** Default: 1. */
  readonly scale?: number;
}

/** y = scale · a + b. */
export const add: Kernel<AddShape> = {
  name: "add",
  bindings: [read("a"), read("b"), write("y")],
  ...inRuns<AddShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns, scale = 1 }) => ({ ROWS: rows, COLUMNS: columns, SCALE: scale }),
  ),
  flops: ({ rows, columns }) => rows * columns,
  bytes: ({ rows, columns }, dtype) => 3 * paddedElements(rows, columns) * bytesPerElement(dtype),
};
