// Attention by its definition: scores, softmax, weighted sum, one query at a time, in f64.

import { scoreOf, type ScoreShape, visibleRange } from "./scores.ts";
import { dot, matrix, type Matrix, rowOf } from "./tensor.ts";

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
  const { sequence, heads, valueDim } = shape;
  const out = matrix(q.rows, heads * valueDim);
  for (let row = 0; row < q.rows; row++) {
    const own = row % sequence;
    const [first] = visibleRange(shape, sequence, own);
    for (let head = 0; head < heads; head++) {
      const { shares } = sharesOf(shape, q, k, row, head, sinks?.[head]);
      const target = headOf(out, row, head, valueDim);
      for (const [i, share] of shares.entries()) {
        const value = headOf(v, row - own + first + i, kvHeadOf(shape, head), valueDim);
        for (let d = 0; d < valueDim; d++) target[d]! += share * value[d]!;
      }
    }
  }
  return out;
}

export interface Shares {
  /** Of each value that the query sees, from the first on. */
  readonly shares: Float64Array;
  /** What is left for the sink. */
  readonly sink: number;
}

/** Softmax of one query's scores. */
export function sharesOf(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  row: number,
  head: number,
  sink = -Infinity,
): Shares {
  const { sequence, headDim } = shape;
  const own = row % sequence;
  const [first, end] = visibleRange(shape, sequence, own);
  const query = headOf(q, row, head, headDim);
  const shares = new Float64Array(end - first);
  let largest = sink;
  for (let t = first; t < end; t++) {
    const product = dot(query, headOf(k, row - own + t, kvHeadOf(shape, head), headDim));
    const score = scoreOf(shape, head, own, t, product);
    shares[t - first] = score;
    largest = Math.max(largest, score);
  }
  let total = Math.exp(sink - largest);
  for (const [i, score] of shares.entries()) total += shares[i] = Math.exp(score - largest);
  for (let i = 0; i < shares.length; i++) shares[i]! /= total;
  return { shares, sink: Math.exp(sink - largest) / total };
}

/** That a query head reads. */
export function kvHeadOf({ heads, kvHeads }: AttendShape, head: number): number {
  return Math.floor((head * kvHeads) / heads);
}

/** Its numbers of a row. */
export function headOf(m: Matrix, row: number, head: number, width: number): Float64Array {
  return rowOf(m, row).subarray(head * width, (head + 1) * width);
}
