// Of norms of queries and keys, of one token.

import type { HeadNorm } from "../../kernels/rotary.ts";
import type { NormedHeads } from "../head_norm.ts";
import { normRowGradient } from "./norm_rows.ts";

/** All that there are of a token. */
export type WholeHeads = Omit<NormedHeads, "gains" | "meanSquare"> & {
  readonly gains?: Float64Array;
};

/**
 * @param row heads side by side, before they were normalized
 * @param dy of the normalized ones
 * @param gainGradient as long as the gains, which are added to; absent without gains
 * @returns the gradient of `row`
 */
export function headNormGradient(
  row: Float64Array,
  dy: Float64Array,
  { kind, epsilon }: HeadNorm,
  { heads, headDim, gains }: WholeHeads,
  gainGradient?: Float64Array,
): Float64Array {
  const out = new Float64Array(row.length);
  const size = kind === "all-heads" ? heads * headDim : headDim;
  const rule = { epsilon, centered: kind === "each-head" };
  for (let first = 0; first < row.length; first += size) {
    const firstGain = kind === "head" ? 0 : first;
    const partOf = (all: Float64Array, from: number) => all.subarray(from, from + size);
    const dx = normRowGradient(
      partOf(row, first),
      gains && partOf(gains, firstGain),
      partOf(dy, first),
      rule,
      gainGradient && partOf(gainGradient, firstGain),
    );
    out.set(dx, first);
  }
  return out;
}
