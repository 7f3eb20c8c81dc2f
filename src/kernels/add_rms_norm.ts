import { type Kernel, read, write } from "./kernel.ts";
import { type NormShape, normTiling } from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** A residual and the norm that follows: sum = a + b, y = sum / √(mean(sum²) + epsilon) · gain, over each row. */
export const addRmsNorm: Kernel<NormShape> = {
  name: "add_rms_norm",
  bindings: [read("a"), read("b"), read("gain"), write("sum"), write("y")],
  ...normTiling,
  flops: ({ rows, columns }) => 5 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (4 * paddedElements(rows, columns) + columns) * bytesPerElement(dtype),
};
