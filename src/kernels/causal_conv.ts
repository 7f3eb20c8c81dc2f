import { activationPrelude } from "./activation.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement, paddedElements, rowQuads } from "./storage.ts";

export interface CausalConvShape {
  /** Whole sequences. */
  readonly rows: number;
  readonly columns: number;
  /** Tokens that a result sees, its own the last. */
  readonly taps: number;
  readonly sequence: number;
}

/** y [rows, columns] = silu(Σ w[t] · x[row + t - taps + 1]), column by column, over tokens of the own sequence. */
export const causalConv: Kernel<CausalConvShape> = {
  name: "causal_conv",
  bindings: [read("x"), read("w"), write("y")],
  preludes: () => [activationPrelude("silu")],
  ...inRuns<CausalConvShape>(
    ({ rows, columns }) => rows * rowQuads(columns),
    ({ rows, columns, taps, sequence }) => ({
      ROWS: rows,
      COLUMNS: columns,
      TAPS: taps,
      SEQUENCE: sequence,
    }),
  ),
  flops: ({ rows, columns, taps }) => 2 * rows * columns * taps,
  bytes: ({ rows, columns, taps }, dtype) =>
    (2 * paddedElements(rows, columns) + paddedElements(taps, columns)) * bytesPerElement(dtype),
};
