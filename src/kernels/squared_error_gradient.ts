import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import type { SquaredErrorShape } from "./squared_error.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface SquaredErrorGradientShape extends SquaredErrorShape {
  readonly scale: number;
}

/** dx = scale · (x − targets). */
export const squaredErrorGradient: Kernel<SquaredErrorGradientShape> = {
  name: "squared_error_gradient",
  bindings: [read("x"), read("targets"), write("dx")],
  ...inRuns<SquaredErrorGradientShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns, scale }) => ({ ROWS: rows, COLUMNS: columns, SCALE: scale }),
  ),
  flops: ({ rows, columns }) => 2 * rows * columns,
  bytes: ({ rows, columns }, dtype) => 3 * paddedElements(rows, columns) * bytesPerElement(dtype),
};
