import { type Kernel, read, write } from "./kernel.ts";
import type { NormShape } from "./norm.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements, rowPitch } from "./storage.ts";

/** Of a norm, whichever it is. */
export interface NormInputGradientShape extends NormShape {
  /** Of a layer norm: the mean is taken off. */
  readonly centered?: true;
  /** Binding `residual` [rows, columns]: a gradient that is added to the norm's. */
  readonly residual?: true;
  /** Of x, dx and the residual, of which the norm took the first, whole quads. Default: all of them. */
  readonly inputColumns?: number;
}

/** Columns of what a norm read. */
export function normInputColumns({
  columns,
  inputColumns = columns,
}: Pick<NormInputGradientShape, "columns" | "inputColumns">): number {
  return inputColumns;
}

/**
 * Of y = norm(x) · gain: dx, as x lies, from dy [rows, columns], and each row's `statistics` f32 [rows, 4], which are its mean, or
 * 0, and what it was multiplied by.
 */
export const normInputGradient: Kernel<NormInputGradientShape> = {
  name: "norm_input_gradient",
  bindings: ({ residual }) => [
    { ...read("x"), slot: 0 },
    { ...read("gain"), slot: 1 },
    { ...read("dy"), slot: 2 },
    ...(residual === true ? [{ ...read("residual"), slot: 5 }] : []),
    { ...write("dx"), slot: 3 },
    { ...write("statistics", "f32"), slot: 4 },
  ],
  preludes: ({ residual }) => [`gradients/${residual === true ? "" : "no_"}residual`],
  prelude: laneSums,
  ...inRows<NormInputGradientShape>(
    rowsAtOnce,
    (shape) => shape,
    (shape) => ({
      ROWS: shape.rows,
      COLUMNS: shape.columns,
      INPUT_COLUMNS: normInputColumns(shape),
      EPSILON: shape.epsilon,
      CENTERED: shape.centered === true ? 1 : 0,
    }),
  ),
  flops: ({ rows, columns, centered, residual }) =>
    (8 + (centered === true ? 3 : 0) + (residual === true ? 1 : 0)) * rows * columns,
  bytes: (shape, dtype) => {
    const { rows, columns, residual } = shape;
    const wide = (residual === true ? 2 : 1) * paddedElements(rows, normInputColumns(shape));
    const stored = 2 * paddedElements(rows, columns) + wide + rowPitch(columns);
    return stored * bytesPerElement(dtype) + 16 * rows;
  },
};
