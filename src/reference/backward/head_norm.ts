// Of norms of queries and keys, of one token.

import type { HeadNorm } from "../../kernels/rotary.ts";
import type { NormedHeads } from "../head_norm.ts";
import { normGradient } from "./norm.ts";

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
  { heads, headDim, gains }: Pick<NormedHeads, "heads" | "headDim" | "gains">,
  gainGradient?: Float64Array,
): Float64Array {
  const out = new Float64Array(row.length);
  const size = kind === "all-heads" ? heads * headDim : headDim;
  for (let first = 0; first < row.length; first += size) {
    const firstGain = kind === "head" ? 0 : first;
    const own = dy.subarray(first, first + size);
    const { normalized, x } = normGradient(
      row.subarray(first, first + size),
      gains === undefined ? own : own.map((value, d) => value * gains[firstGain + d]!),
      { isCentered: kind === "each-head", epsilon },
    );
    out.set(x, first);
    if (gainGradient === undefined) continue;
    for (let d = 0; d < size; d++) gainGradient[firstGain + d]! += own[d]! * normalized[d]!;
  }
  return out;
}
