// Gradients of attention by its definition, in f64, one query at a time: its shares of values are made again.

import { type AttendShape, headOf, kvHeadOf, sharesOf } from "../attend.ts";
import { scoreSlope, visibleRange } from "../scores.ts";
import { dot, matrix, type Matrix } from "../tensor.ts";

export interface AttentionGradients {
  readonly dq: Matrix;
  readonly dk: Matrix;
  readonly dv: Matrix;
  /** Of each head's sink; zeros where there are none. */
  readonly dsinks: Float64Array;
}

/**
 * Of `attend`, from the gradient dy [rows, heads · valueDim] of its result. With shares p: dv = p · dy, dp = dy · v, that
 * of scores p · (dp − Σ p · dp); a sink has a share, but no value (Dao et al., FlashAttention, 2022, appendix B).
 */
export function attendGradients(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  dy: Matrix,
  sinks?: ArrayLike<number>,
): AttentionGradients {
  const { sequence, heads, headDim, valueDim } = shape;
  const zeros = (m: Matrix): Matrix => matrix(m.rows, m.columns);
  const [dq, dk, dv] = [zeros(q), zeros(k), zeros(v)];
  const dsinks = new Float64Array(heads);
  for (let row = 0; row < q.rows; row++) {
    const own = row % sequence;
    const [first] = visibleRange(shape, sequence, own);
    for (let head = 0; head < heads; head++) {
      const kvHead = kvHeadOf(shape, head);
      const query = headOf(q, row, head, headDim);
      const gradient = headOf(dy, row, head, valueDim);
      const { shares, sink } = sharesOf(shape, q, k, row, head, sinks?.[head]);
      const rowAt = (i: number): number => row - own + first + i;
      const ofShares = shares.map((_, i) => dot(gradient, headOf(v, rowAt(i), kvHead, valueDim)));
      const mean = dot(shares, ofShares);
      dsinks[head]! -= sink * mean;
      for (const [i, share] of shares.entries()) {
        const key = headOf(k, rowAt(i), kvHead, headDim);
        const slope = share * (ofShares[i]! - mean) * scoreSlope(shape, dot(query, key));
        addScaled(headOf(dq, row, head, headDim), key, slope);
        addScaled(headOf(dk, rowAt(i), kvHead, headDim), query, slope);
        addScaled(headOf(dv, rowAt(i), kvHead, valueDim), gradient, share);
      }
    }
  }
  return { dq, dk, dv, dsinks };
}

function addScaled(target: Float64Array, values: Float64Array, by: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += by * values[i]!;
}
