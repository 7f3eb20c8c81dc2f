// Gradients of attention by its definition, in f64: its shares of values are made again.

import { addPart, type AttendShape, partOf, queryBlocks } from "../attend.ts";
import { scoreSlope } from "../scores.ts";
import { dot, matrix, type Matrix, multiply, rowOf } from "../tensor.ts";
import { inputGradient, weightGradient } from "./product.ts";

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
  const { heads, headDim, valueDim } = shape;
  const zeros = (m: Matrix): Matrix => matrix(m.rows, m.columns);
  const [dq, dk, dv] = [zeros(q), zeros(k), zeros(v)];
  const dsinks = new Float64Array(heads);
  for (const block of queryBlocks(shape, q, k, v, sinks)) {
    const { head, kvHead, queries, keys, query, key, values, products, shares } = block;
    const gradient = partOf(dy, { ...queries, column: head * valueDim }, valueDim);
    const ofShares = inputGradient(gradient, values);
    const ofProducts = zeros(products);
    for (let i = 0; i < queries.count; i++) {
      const [share, ofShare] = [rowOf(shares, i), rowOf(ofShares, i)];
      const mean = dot(share, ofShare);
      dsinks[head]! -= block.sinkShares[i]! * mean;
      const product = rowOf(products, i);
      const own = rowOf(ofProducts, i);
      for (let at = 0; at < own.length; at++) {
        own[at] = share[at]! * (ofShare[at]! - mean) * scoreSlope(shape, product[at]!);
      }
    }
    addPart(dq, { ...queries, column: head * headDim }, multiply(ofProducts, key));
    const ofKeys = weightGradient(ofProducts, query);
    addPart(dk, { ...keys, column: kvHead * headDim }, ofKeys);
    const ofValues = weightGradient(shares, gradient);
    addPart(dv, { ...keys, column: kvHead * valueDim }, ofValues);
  }
  return { dq, dk, dv, dsinks };
}
