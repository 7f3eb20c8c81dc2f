import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement } from "./storage.ts";

export interface ReduceSumShape {
  readonly pieces: number;
  /** A multiple of 4. */
  readonly elements: number;
}

/** y[i] = Σ over pieces of x[piece, i], in piece order, so that every rank gets the same bits. */
export const reduceSum: Kernel<ReduceSumShape> = {
  name: "reduce_sum",
  bindings: [read("x"), write("y")],
  constants: ({ pieces, elements }) => ({
    PIECES: pieces,
    ELEMENTS: elements,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ elements }) => flatGrid(elements / 4),
  flops: ({ pieces, elements }) => (pieces - 1) * elements,
  bytes: ({ pieces, elements }, dtype) => (pieces + 1) * elements * bytesPerElement(dtype),
};
