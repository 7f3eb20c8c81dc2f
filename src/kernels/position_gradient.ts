import { accumulate, type Kernel, read } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface PositionGradientShape {
  /** Sequences, one after the other in the rows of dy. */
  readonly batch: number;
  readonly sequence: number;
  readonly hidden: number;
  /** Row of the table that the first token of a sequence added. */
  readonly first: number;
}

/** dtable f32: row first + position += Σ of the rows of dy [batch · sequence, hidden] at that position of their sequences. */
export const positionGradient: Kernel<PositionGradientShape> = {
  name: "position_gradient",
  bindings: [read("dy"), accumulate("dtable")],
  ...inRuns<PositionGradientShape>(
    ({ sequence, hidden }) => sequence * rowQuads(hidden),
    ({ batch, sequence, hidden, first }) => ({
      BATCH: batch,
      SEQUENCE: sequence,
      HIDDEN: hidden,
      FIRST: first,
    }),
  ),
  flops: ({ batch, sequence, hidden }) => batch * sequence * hidden,
  bytes: ({ batch, sequence, hidden }, dtype) =>
    paddedElements(batch * sequence, hidden) * bytesPerElement(dtype) +
    8 * paddedElements(sequence, hidden),
};
