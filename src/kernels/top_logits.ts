// What the host picks the next token from: of each row the largest logits and their ids.

import { fold, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface TopLogitsShape {
  readonly rows: number;
  /** Of the rank's logits, of which the first `considered` are tokens' and the rest padding. */
  readonly columns: number;
  readonly considered: number;
  /** Id of the first. */
  readonly firstId: number;
  readonly count: number;
}

/** Stands for an id where a row has fewer logits than are wanted. */
export const noToken = 0xffffffff;

/**
 * candidates u32 [rows, count · 2] = the bits of a logit as f32, and its id; the largest first, ties to the lower id. No
 * number is no candidate.
 */
export const topLogits: Kernel<TopLogitsShape> = {
  name: "top_logits",
  bindings: [read("logits"), write("candidates", "u32")],
  constants: ({ rows, columns, considered, firstId, count }) => ({
    ROWS: rows,
    COLUMNS: columns,
    CONSIDERED: considered,
    FIRST_ID: firstId,
    COUNT: count,
    LANES: workgroupSize,
  }),
  grid: ({ rows }) => [...fold(rows), 1],
  flops: ({ rows, considered, count }) => rows * considered * count,
  bytes: ({ rows, columns, count }, dtype) =>
    paddedElements(rows, columns) * bytesPerElement(dtype) + 8 * rows * count,
};
