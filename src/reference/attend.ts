// Attention by its definition: scores, softmax, weighted sum, one query at a time, in f64.

import { scoreOf, type ScoreShape, visibleRange } from "./scores.ts";
import { matrix, type Matrix } from "./tensor.ts";

export interface AttendShape extends ScoreShape {
  readonly sequence: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly valueDim: number;
}

/**
 * q [rows, heads · headDim], k [rows, kvHeads · headDim] and v [rows, kvHeads · valueDim]; rows are whole sequences.
 *
 * @param sinks a score of each head that no value belongs to
 */
export function attend(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  sinks?: ArrayLike<number>,
): Matrix {
  const { sequence, heads, kvHeads, headDim, valueDim } = shape;
  const out = matrix(q.rows, heads * valueDim);
  const scores = new Float64Array(sequence);
  for (let row = 0; row < q.rows; row++) {
    const own = row % sequence;
    const start = row - own;
    const [first, end] = visibleRange(shape, sequence, own);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      const query = row * q.columns + head * headDim;
      const sink = sinks?.[head] ?? -Infinity;
      let largest = sink;
      for (let t = first; t < end; t++) {
        const key = (start + t) * k.columns + kvHead * headDim;
        let product = 0;
        for (let d = 0; d < headDim; d++) product += q.data[query + d]! * k.data[key + d]!;
        scores[t] = scoreOf(shape, head, own, t, product);
        largest = Math.max(largest, scores[t]!);
      }
      const target = row * out.columns + head * valueDim;
      let total = Math.exp(sink - largest);
      for (let t = first; t < end; t++) {
        const share = Math.exp(scores[t]! - largest);
        total += share;
        const value = (start + t) * v.columns + kvHead * valueDim;
        for (let d = 0; d < valueDim; d++) out.data[target + d]! += share * v.data[value + d]!;
      }
      for (let d = 0; d < valueDim; d++) out.data[target + d]! /= total;
    }
  }
  return out;
}
