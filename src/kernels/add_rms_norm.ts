import { type Kernel, read, write } from "./kernel.ts";
import { type NormShape, type Summed, summedNormTiling } from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** A residual and the norm that follows: sum = scale · a + b, y = sum / √(mean(sum²) + epsilon) · gain, over each row. */
export const addRmsNorm: Kernel<NormShape & Summed> = {
  name: "add_rms_norm",
  bindings: [read("a"), read("b"), read("gain"), write("sum"), write("y")],
  ...summedNormTiling,
  flops: ({ rows, columns }) => 5 * rows * columns,
  bytes: ({ rows, columns }, dtype) =>
    (4 * paddedElements(rows, columns) + columns) * bytesPerElement(dtype),
};
