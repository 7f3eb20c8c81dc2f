// Attention by its definition: scores, softmax, weighted sum, one query at a time.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { dot, matrix, multiply, rowOf, type Matrix } from "../tensor.ts";
import { type ReferenceLayer, referenceWeight } from "./context.ts";

export const attention: ReferenceLayer<AttentionLayer> = {
  apply(context, layer, x) {
    const { hidden, heads, kvHeads, headDim } = layer;
    const project = (part: string, columns: number): Matrix =>
      multiply(x, referenceWeight(context, `${part}/weight`, hidden, columns));
    const attended = attend(
      layer,
      context.rowsPerSample,
      project("q", heads * headDim),
      project("k", kvHeads * headDim),
      project("v", kvHeads * headDim),
    );
    return {
      output: multiply(
        attended,
        referenceWeight(context, "output/weight", heads * headDim, hidden),
      ),
    };
  },
  round({ product, partial, stored, cached, sequence }, layer, x) {
    const { value, error } = cached(product(x, layer.hidden));
    // Weights of t keys have a mean square of e^(variance of the scores) / t, and at most 1.
    const spread = Math.exp(Math.min(value ** 2, 700));
    let share = 0;
    for (let t = 1; t <= sequence; t++) {
      share += Math.min(1, spread / (layer.causal ? t : sequence)) / sequence;
    }
    const attended = { value: share * value, error: share * error * (1 + 2 * value ** 2) };
    return partial(stored(attended), layer.heads * layer.headDim, layer.groups);
  },
};

/** q [rows, heads · headDim], k and v [rows, kvHeads · headDim]; rows are whole sequences. */
export function attend(
  layer: AttentionLayer,
  sequence: number,
  q: Matrix,
  k: Matrix,
  v: Matrix,
): Matrix {
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
        const share = Math.exp(scores[t]! - largest);
        total += share;
        const value = headOf(v, start + t, kvStart);
        for (let d = 0; d < headDim; d++) target[d]! += share * value[d]!;
      }
      for (let d = 0; d < headDim; d++) target[d]! /= total;
    }
  }
  return out;
}
