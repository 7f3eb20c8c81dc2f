import { type Kernel, read, write } from "./kernel.ts";
import { biasBinding, biasPreludes, type LayerNormShape, normTiling } from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** y = (x - mean) / √(variance + epsilon) · gain + bias, over each row. */
export const layerNorm: Kernel<LayerNormShape> = {
  name: "layer_norm",
  bindings: (shape) => [
    { ...read("x"), slot: 0 },
    { ...read("gain"), slot: 1 },
    ...biasBinding(shape),
    { ...write("y"), slot: 2 },
  ],
  preludes: biasPreludes,
  ...normTiling,
  flops: ({ rows, columns, bias }) => (bias === true ? 7 : 6) * rows * columns,
  bytes: ({ rows, columns, bias }, dtype) =>
    (2 * paddedElements(rows, columns) + (bias === true ? 2 : 1) * columns) *
    bytesPerElement(dtype),
};
