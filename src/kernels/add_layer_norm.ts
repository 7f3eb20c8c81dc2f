import { type Kernel, read, write } from "./kernel.ts";
import {
  biasBinding,
  biasPreludes,
  type LayerNormShape,
  type Summed,
  summedNormTiling,
} from "./norm.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/**
 * A residual and the norm that follows: sum = scale · a + b, y = (sum - mean) / √(variance + epsilon) · gain + bias, over
 * each row.
 */
export const addLayerNorm: Kernel<LayerNormShape & Summed> = {
  name: "add_layer_norm",
  bindings: (shape) => [
    { ...read("a"), slot: 0 },
    { ...read("b"), slot: 1 },
    { ...read("gain"), slot: 2 },
    ...biasBinding(shape),
    { ...write("sum"), slot: 3 },
    { ...write("y"), slot: 4 },
  ],
  preludes: biasPreludes,
  ...summedNormTiling,
  flops: ({ rows, columns, bias }) => (bias === true ? 8 : 7) * rows * columns,
  bytes: ({ rows, columns, bias }, dtype) =>
    (4 * paddedElements(rows, columns) + (bias === true ? 2 : 1) * columns) *
    bytesPerElement(dtype),
};
