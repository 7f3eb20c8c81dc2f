import { accumulate, type Kernel, read } from "./kernel.ts";
import { laneSums } from "./rows.ts";
import { lanesOfSums } from "./sum_squares.ts";
import { rowPitch, rowQuads } from "./storage.ts";

export interface SinkGradientShape {
  readonly rows: number;
  readonly heads: number;
}

/**
 * dsinks f32 [heads] −= Σ of what a sink has of each query's softmax, times dy · y; both from the `statistics` f32
 * [rows, heads, 2] of `attention_statistics`.
 */
export const sinkGradient: Kernel<SinkGradientShape> = {
  name: "sink_gradient",
  bindings: [read("statistics", "f32"), read("sinks", "f32"), accumulate("dsinks")],
  prelude: laneSums,
  constants: ({ rows, heads }, adapter) => ({
    ROWS: rows,
    HEADS: heads,
    LANES: lanesOfSums(adapter),
  }),
  grid: ({ heads }) => [rowQuads(heads), 1, 1],
  flops: ({ rows, heads }) => 4 * rows * heads,
  bytes: ({ rows, heads }) => 8 * rows * heads + 12 * rowPitch(heads),
};
