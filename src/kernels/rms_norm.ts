import { type Kernel, read, write } from "./kernel.ts";
import { type NormShape, normTiling } from "./norm.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface RmsNormShape extends NormShape {
  /** Of x, whose first are normalized. Default: all of them. */
  readonly inputColumns?: number;
}

/** y = x / √(mean(x²) + epsilon) · gain, over each row. */
export const rmsNorm: Kernel<RmsNormShape> = {
  name: "rms_norm",
  bindings: [read("x"), read("gain"), write("y")],
  ...normTiling,
  constants: (shape, adapter) => ({
    ...normTiling.constants(shape, adapter),
    X_QUADS: rowQuads(shape.inputColumns ?? shape.columns),
  }),
  flops: ({ rows, columns }) => 4 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (2 * paddedElements(rows, columns) + columns) * bytesPerElement(dtype),
};
