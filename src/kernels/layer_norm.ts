import { type Kernel, read, write } from "./kernel.ts";
import { type NormShape, normTiling } from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** y = (x - mean) / √(variance + epsilon) · gain + bias, over each row. */
export const layerNorm: Kernel<NormShape> = {
  name: "layer_norm",
  bindings: [read("x"), read("gain"), read("bias"), write("y")],
  ...normTiling,
  flops: ({ rows, columns }) => 7 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (2 * paddedElements(rows, columns) + 2 * columns) * bytesPerElement(dtype),
};
