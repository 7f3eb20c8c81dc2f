// A score of attention in f64, and how far a right one in f32 may be from it.

import { sumError, unitRoundoff } from "../../reference/rounding.ts";
import { scaleOf, scoreOf, type ScoreShape, slopeOf } from "../../reference/scores.ts";

export interface Score {
  /** Of a query and a key. */
  readonly product: number;
  readonly score: number;
  readonly error: number;
}

export function scoreWithError(
  shape: ScoreShape,
  head: number,
  [row, token]: readonly [query: number, key: number],
  query: Float32Array,
  key: Float32Array,
): Score {
  const { softcap = 0, alibi } = shape;
  const product = productOf(query, key);
  const slope = alibi === undefined ? 0 : slopeOf(alibi.first + head, alibi.heads);
  const error =
    Math.abs(scaleOf(shape)) * product.error +
    // What exp2 and a division lose of a tanh and of a slope, each of at most 1.
    16 * unitRoundoff.f32 * softcap +
    32 * unitRoundoff.f32 * slope * Math.abs(row - token);
  const score = scoreOf(shape, head, row, token, product.value);
  return { product: product.value, score, error };
}

/** A dot product, and how far one in f32 may be from it. */
export function productOf(
  a: Float32Array,
  b: Float32Array,
): { readonly value: number; readonly error: number } {
  let value = 0;
  let squares = 0;
  for (let d = 0; d < a.length; d++) {
    const term = (a[d] ?? Number.NaN) * (b[d] ?? Number.NaN);
    value += term;
    squares += term * term;
  }
  return {
    value,
    error: sumError(a.length, squares, value) + 4 * unitRoundoff.f32 * Math.abs(value),
  };
}
