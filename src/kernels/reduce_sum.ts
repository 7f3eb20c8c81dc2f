import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, rowQuads } from "./storage.ts";

export interface ReduceSumShape {
  readonly pieces: number;
  /** Pieces begin with whole quads. */
  readonly elements: number;
}

/** y[i] = Σ over pieces of x[piece, i], in piece order, so that every rank gets the same bits. */
export const reduceSum: Kernel<ReduceSumShape> = {
  name: "reduce_sum",
  bindings: [read("x"), write("y")],
  ...inRuns<ReduceSumShape>(
    ({ elements }) => rowQuads(elements),
    ({ pieces, elements }) => ({ PIECES: pieces, ELEMENTS: elements }),
  ),
  flops: ({ pieces, elements }) => (pieces - 1) * elements,
  bytes: ({ pieces, elements }, dtype) => (pieces + 1) * elements * bytesPerElement(dtype),
};
