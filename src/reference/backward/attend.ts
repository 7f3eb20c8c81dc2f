// Of attention, one query at a time: its shares of values are made again from queries and keys.

import { type AttendShape, headOf, kvHeadOf, sharesOf } from "../attend.ts";
import { scoreSlope, visibleRange } from "../scores.ts";
import { dot, matrix, type Matrix } from "../tensor.ts";

export interface AttendGradient {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  /** [heads]; of no meaning without sinks. */
  readonly sinks: Float64Array;
}

/**
 * With shares p of the values: dv = p · dy, dp = dy · v, d of the scores p · (dp − Σ p · dp); a sink has a share, but no
 * value (Dao et al., FlashAttention, 2022, appendix B).
 *
 * @param dy [rows, heads · valueDim]; the rest as `attend` takes it
 */
export function attendGradient(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  dy: Matrix,
  sinks?: ArrayLike<number>,
): AttendGradient {
  const { sequence, heads, headDim, valueDim } = shape;
  const out = {
    q: matrix(q.rows, q.columns),
    k: matrix(k.rows, k.columns),
    v: matrix(v.rows, v.columns),
    sinks: new Float64Array(heads),
  };
  for (let row = 0; row < q.rows; row++) {
    const start = row - (row % sequence);
    const [first, end] = visibleRange(shape, sequence, row % sequence);
    for (let head = 0; head < heads; head++) {
      const kvHead = kvHeadOf(shape, head);
      const query = headOf(q, row, head, headDim);
      const own = headOf(dy, row, head, valueDim);
      const { shares, sink } = sharesOf(shape, q, k, row, head, sinks?.[head]);
      const dShares = shares.map((_, i) =>
        dot(own, headOf(v, start + first + i, kvHead, valueDim)),
      );
      const along = dot(shares, dShares);
      out.sinks[head]! -= sink * along;
      for (let t = first; t < end; t++) {
        const share = shares[t - first]!;
        addScaled(headOf(out.v, start + t, kvHead, valueDim), share, own);
        const key = headOf(k, start + t, kvHead, headDim);
        const dScore = share * (dShares[t - first]! - along);
        const dProduct = dScore * scoreSlope(shape, dot(query, key));
        addScaled(headOf(out.q, row, head, headDim), dProduct, key);
        addScaled(headOf(out.k, start + t, kvHead, headDim), dProduct, query);
      }
    }
  }
  return out;
}

function addScaled(target: Float64Array, factor: number, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * values[i]!;
}
