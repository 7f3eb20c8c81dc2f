import { accumulate, type AdapterTraits, type Kernel, read } from "./kernel.ts";
import { laneSums } from "./rows.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { ceilDiv } from "./storage.ts";

export interface SumSquaresShape {
  /** Of x, a multiple of 4. */
  readonly elements: number;
  /** Of rows of `pitch` elements the first alone count, whole quads. Default: all. */
  readonly counted?: { readonly columns: number; readonly pitch: number };
}

/** Elements of `sums`, which share what is added up; a workgroup each, so that wide GPUs have enough of them. */
export const squareSums = 1024;

/** Below which another workgroup costs more than it saves. */
const fewestQuads = 1024;

/** Consecutive quads of x that one of the first sums takes; the last may take fewer, and those behind it none. */
export function quadsPerSum({ elements }: SumSquaresShape): number {
  return Math.max(fewestQuads, ceilDiv(elements / 4, squareSums));
}

function countedElements({ elements, counted }: SumSquaresShape): number {
  return counted === undefined ? elements : (elements / counted.pitch) * counted.columns;
}

export function lanesOfSums(adapter: AdapterTraits | undefined): number {
  return isCpuAdapter(adapter) ? adapter.subgroupSize.max : 256;
}

function sumsOf(shape: SumSquaresShape): number {
  return Math.max(1, ceilDiv(shape.elements / 4, quadsPerSum(shape)));
}

/** The `squareSums` elements of `sums`, f32, together += Σ x², f32. */
export const sumSquares: Kernel<SumSquaresShape> = {
  name: "sum_squares",
  bindings: [read("x", "f32"), accumulate("sums")],
  prelude: laneSums,
  constants: (shape, adapter) => ({
    QUADS: shape.elements / 4,
    COUNTED: (shape.counted?.columns ?? 4) / 4,
    PITCH: (shape.counted?.pitch ?? 4) / 4,
    SHARE: quadsPerSum(shape),
    LANES: lanesOfSums(adapter),
  }),
  grid: (shape) => [sumsOf(shape), 1, 1],
  flops: (shape) => 2 * countedElements(shape),
  bytes: (shape) => 4 * countedElements(shape) + 8 * sumsOf(shape),
};
