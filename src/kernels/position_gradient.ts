import { accumulate, type Kernel, read } from "./kernel.ts";
import { positionsConstants, positionsPrelude, type PositionsShape } from "./positions.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface PositionGradientShape extends Omit<PositionsShape, "queries"> {
  /** Sequences, one after the other in the rows of dy. */
  readonly batch: number;
  readonly hidden: number;
  /** Row of the table that the first token of a sequence added. */
  readonly first: number;
}

/** dtable f32: row first + position += Σ of the rows of dy [batch · rows, hidden] at that position of their sequences. */
export const positionGradient: Kernel<PositionGradientShape> = {
  name: "position_gradient",
  bindings: [read("dy"), accumulate("dtable")],
  preludes: (shape) => [positionsPrelude(shape)],
  ...inRuns<PositionGradientShape>(
    (shape) => rowsOfSequence(shape) * rowQuads(shape.hidden),
    (shape) => ({
      ...positionsConstants(shape),
      BATCH: shape.batch,
      ROWS: rowsOfSequence(shape),
      HIDDEN: shape.hidden,
      FIRST: shape.first,
    }),
  ),
  flops: (shape) => shape.batch * rowsOfSequence(shape) * shape.hidden,
  bytes: (shape, dtype) => {
    const { batch, hidden } = shape;
    const rows = rowsOfSequence(shape);
    return (
      paddedElements(batch * rows, hidden) * bytesPerElement(dtype) +
      8 * paddedElements(rows, hidden)
    );
  },
};

/** That dy has of each. */
export function rowsOfSequence({ sequence, slices }: PositionGradientShape): number {
  return slices?.rows ?? sequence;
}
