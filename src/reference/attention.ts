// Attention by its definition: scores, softmax, weighted sum, one query at a time.

import type { AttentionLayer } from "../plan/plan.ts";
import { dot, matrix, rowOf, type Matrix } from "./tensor.ts";

/** q [rows, heads · headDim], k and v [rows, kvHeads · headDim]; rows are whole sequences. */
export const attend = (
  layer: AttentionLayer,
  sequence: number,
  q: Matrix,
  k: Matrix,
  v: Matrix,
): Matrix => {
  const { heads, kvHeads, headDim, causal } = layer;
  const out = matrix(q.rows, q.columns);
  const scores = new Float64Array(sequence);
  for (let row = 0; row < q.rows; row++) {
    const start = row - (row % sequence);
    const visible = causal ? (row % sequence) + 1 : sequence;
    for (let head = 0; head < heads; head++) {
      const kvStart = Math.floor((head * kvHeads) / heads) * headDim;
      const headOf = (m: Matrix, r: number, from: number): Float64Array =>
        rowOf(m, r).subarray(from, from + headDim);
      const query = headOf(q, row, head * headDim);
      let largest = -Infinity;
      for (let t = 0; t < visible; t++) {
        scores[t] = dot(query, headOf(k, start + t, kvStart)) / Math.sqrt(headDim);
        largest = Math.max(largest, scores[t]!);
      }
      const target = headOf(out, row, head * headDim);
      let total = 0;
      for (let t = 0; t < visible; t++) {
        const weight = Math.exp(scores[t]! - largest);
        total += weight;
        const value = headOf(v, start + t, kvStart);
        for (let d = 0; d < headDim; d++) target[d]! += weight * value[d]!;
      }
      for (let d = 0; d < headDim; d++) target[d]! /= total;
    }
  }
  return out;
};
