// Gradients of attention by its definition, in f64, one query at a time.

import type { AttendShape } from "../attend.ts";
import { scaleOf, scoreOf, visibleRange } from "../scores.ts";
import { dot, matrix, type Matrix, rowOf } from "../tensor.ts";

export interface AttentionGradients {
  readonly dq: Matrix;
  readonly dk: Matrix;
  readonly dv: Matrix;
  /** Of each head's sink; zeros where there are none. */
  readonly dsinks: Float64Array;
}

/** How a score grows with the product of a query and a key. */
export function scoreSlope(
  shape: Pick<AttendShape, "scale" | "headDim" | "softcap">,
  product: number,
): number {
  const scale = scaleOf(shape);
  const { softcap } = shape;
  return softcap === undefined ? scale : scale * (1 - Math.tanh((product * scale) / softcap) ** 2);
}

/** Of `attend`, from the gradient dy [rows, heads · valueDim] of its result. */
export function attendGradients(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  dy: Matrix,
  sinks?: ArrayLike<number>,
): AttentionGradients {
  const { sequence, heads, kvHeads, headDim, valueDim } = shape;
  const zeros = (m: Matrix): Matrix => matrix(m.rows, m.columns);
  const [dq, dk, dv] = [zeros(q), zeros(k), zeros(v)];
  const dsinks = new Float64Array(heads);
  const headOf = (m: Matrix, row: number, head: number, width: number): Float64Array =>
    rowOf(m, row).subarray(head * width, (head + 1) * width);
  for (let row = 0; row < q.rows; row++) {
    const own = row % sequence;
    const start = row - own;
    const [first, end] = visibleRange(shape, sequence, own);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      const query = headOf(q, row, head, headDim);
      const gradient = headOf(dy, row, head, valueDim);
      const keyAt = (t: number): Float64Array => headOf(k, start + t, kvHead, headDim);
      const products = range(first, end).map((t) => dot(query, keyAt(t)));
      const scores = products.map((product, i) => scoreOf(shape, head, own, first + i, product));
      const sink = sinks?.[head] ?? -Infinity;
      const largest = Math.max(sink, ...scores);
      const exponentials = scores.map((score) => Math.exp(score - largest));
      const rest = Math.exp(sink - largest);
      const total = exponentials.reduce((sum, value) => sum + value, rest);
      const shares = exponentials.map((value) => value / total);
      const ofShares = range(first, end).map((t) =>
        dot(gradient, headOf(v, start + t, kvHead, valueDim)),
      );
      const mean = shares.reduce((sum, share, i) => sum + share * ofShares[i]!, 0);
      if (sinks !== undefined) dsinks[head]! -= (rest / total) * mean;
      for (const [i, share] of shares.entries()) {
        const slope = share * (ofShares[i]! - mean) * scoreSlope(shape, products[i]!);
        addScaled(headOf(dq, row, head, headDim), keyAt(first + i), slope);
        addScaled(headOf(dk, start + first + i, kvHead, headDim), query, slope);
        addScaled(headOf(dv, start + first + i, kvHead, valueDim), gradient, share);
      }
    }
  }
  return { dq, dk, dv, dsinks };
}

function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

function addScaled(target: Float64Array, values: Float64Array, by: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += by * values[i]!;
}
