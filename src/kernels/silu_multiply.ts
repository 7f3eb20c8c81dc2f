import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface SiluMultiplyShape {
  /** Rows that the buffers hold. */
  readonly rows: number;
  readonly columns: number;
}

/** y = silu(gate) · up, the gate of a gated MLP. */
export const siluMultiply: Kernel<SiluMultiplyShape> = {
  name: "silu_multiply",
  bindings: [read("gate"), read("up"), write("y")],
  ...inRuns<SiluMultiplyShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns }) => ({ ROWS: rows, COLUMNS: columns }),
  ),
  flops: ({ rows, columns }) => 5 * rows * columns,
  bytes: ({ rows, columns }, dtype) => 3 * paddedElements(rows, columns) * bytesPerElement(dtype),
};
