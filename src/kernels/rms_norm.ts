import { type Kernel, read, write } from "./kernel.ts";
import { type NormShape, normTiling } from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** y = x / √(mean(x²) + epsilon) · gain, over each row. */
export const rmsNorm: Kernel<NormShape> = {
  name: "rms_norm",
  bindings: [read("x"), read("gain"), write("y")],
  ...normTiling,
  flops: ({ rows, columns }) => 4 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (2 * paddedElements(rows, columns) + columns) * bytesPerElement(dtype),
};
