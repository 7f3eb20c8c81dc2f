import { accumulate, type Kernel, read } from "./kernel.ts";
import { laneSums } from "./rows.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { workgroupSize } from "./grid.ts";

export interface SumSquaresShape {
  /** Of x, a multiple of 4. */
  readonly elements: number;
}

/** Elements of `sums`, which share what is added up. */
export const squareSums = 64;

/** The `squareSums` elements of `sums`, f32, together += Σ x², f32. */
export const sumSquares: Kernel<SumSquaresShape> = {
  name: "sum_squares",
  bindings: [read("x", "f32"), accumulate("sums")],
  prelude: laneSums,
  constants: ({ elements }, adapter) => ({
    QUADS: elements / 4,
    LANES: isCpuAdapter(adapter) ? adapter.subgroupSize.max : workgroupSize,
  }),
  grid: () => [squareSums, 1, 1],
  flops: ({ elements }) => 2 * elements,
  bytes: ({ elements }) => 4 * elements + 8 * squareSums,
};
