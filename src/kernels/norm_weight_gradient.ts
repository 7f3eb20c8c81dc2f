import { accumulatedBytes, type Accumulating, inColumns } from "./columns.ts";
import { accumulate, type Binding, type Kernel, read, write } from "./kernel.ts";
import { normInputColumns } from "./norm_input_gradient.ts";
import { bytesPerElement, paddedElements, rowPitch } from "./storage.ts";

export interface NormWeightGradientShape extends Accumulating {
  readonly rows: number;
  readonly columns: number;
  /** Binding `dbias` [columns]. */
  readonly bias?: true;
  /** Of x, as of `norm_input_gradient`. */
  readonly inputColumns?: number;
}

function gradient(name: string, slot: number, shape: Accumulating): Binding {
  return { ...(shape.accumulate === true ? accumulate(name) : write(name, "f32")), slot };
}

/** Of y = norm(x) · gain + bias: `dgain` and `dbias`, f32 [columns], with the `statistics` of `norm_input_gradient`. */
export const normWeightGradient: Kernel<NormWeightGradientShape> = {
  name: "norm_weight_gradient",
  bindings: (shape) => [
    { ...read("x"), slot: 0 },
    { ...read("dy"), slot: 1 },
    { ...read("statistics", "f32"), slot: 2 },
    ...(shape.bias === true ? [gradient("dbias", 4, shape)] : []),
    gradient("dgain", 3, shape),
  ],
  preludes: ({ bias }) => ["columns/sums", `gradients/${bias === true ? "" : "no_"}bias`],
  ...inColumns<NormWeightGradientShape>((shape) => ({ INPUT_COLUMNS: normInputColumns(shape) })),
  flops: ({ rows, columns, bias }) => (bias === true ? 5 : 4) * rows * columns,
  bytes: (shape, dtype) => {
    const { rows, columns, bias } = shape;
    const vectors = (bias === true ? 2 : 1) * rowPitch(columns);
    return (
      2 * paddedElements(rows, columns) * bytesPerElement(dtype) +
      16 * rows +
      accumulatedBytes(shape, vectors)
    );
  },
};
