// Fills a buffer with what a program's weights hold at first: no kernel of any program.

import { workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { ceilDiv, type StorageType } from "./storage.ts";

export interface FillShape {
  readonly dtype: StorageType;
  /** At most, in one dispatch. */
  readonly words: number;
}

/** Words in a row of one invocation: where they lie is a matter of divisions. */
const run = 16;

/** words = the elements that `part` describes. */
export const fillUniform: Kernel<FillShape> = {
  name: "fill_uniform",
  shader: "contents/uniform",
  bindings: [read("part", "u32"), write("words", "u32")],
  constants: ({ dtype }) => ({
    HALVES: dtype === "f16" ? 1 : 0,
    RUN: run,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ words }) => [Math.min(65_535, Math.max(1, ceilDiv(words, run * workgroupSize))), 1, 1],
  flops: () => 0,
  bytes: ({ words }) => 4 * words,
};
