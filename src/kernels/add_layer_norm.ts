import { type Kernel, read, write } from "./kernel.ts";
import { type NormShape, normTiling } from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** A residual and the norm that follows: sum = a + b, y = (sum - mean) / √(variance + epsilon) · gain + bias, over each row. */
export const addLayerNorm: Kernel<NormShape> = {
  name: "add_layer_norm",
  bindings: [read("a"), read("b"), read("gain"), read("bias"), write("sum"), write("y")],
  ...normTiling,
  flops: ({ rows, columns }) => 8 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (4 * paddedElements(rows, columns) + 2 * columns) * bytesPerElement(dtype),
};
