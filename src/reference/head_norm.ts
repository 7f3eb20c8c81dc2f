// Norms of queries and keys, in f64, of one token.

import type { HeadNorm } from "../kernels/rotary.ts";

/** Of a token: its heads side by side, normalized in place. */
export interface NormedHeads {
  readonly heads: number;
  readonly headDim: number;
  /** One head's, or one for each number; absent without weights. */
  readonly gains?: ArrayLike<number>;
  /** Mean square of all heads, where some lie elsewhere. Absent: of those at hand. */
  readonly meanSquare?: number;
}

export function normalizeHeads(
  row: Float64Array,
  { kind, epsilon }: HeadNorm,
  { heads, headDim, gains, meanSquare }: NormedHeads,
): void {
  const ofAll = meanSquare ?? meanSquareOf(row);
  for (let head = 0; head < heads; head++) {
    const own = row.subarray(head * headDim, (head + 1) * headDim);
    if (kind === "each-head") {
      const mean = own.reduce((sum, value) => sum + value, 0) / headDim;
      for (let d = 0; d < headDim; d++) own[d] = (own[d] ?? 0) - mean;
    }
    const scale = 1 / Math.sqrt((kind === "all-heads" ? ofAll : meanSquareOf(own)) + epsilon);
    const first = kind === "head" ? 0 : head * headDim;
    for (let d = 0; d < headDim; d++) {
      own[d] = (own[d] ?? 0) * scale * (gains === undefined ? 1 : (gains[first + d] ?? Number.NaN));
    }
  }
}

function meanSquareOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}
