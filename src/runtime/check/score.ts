// A score of attention in f64, and how far a right one in f32 may be from it.

import { sumError, unitRoundoff } from "../../reference/rounding.ts";
import { scaleOf, scoreOf, type ScoreShape, slopeOf } from "../../reference/scores.ts";

export function scoreWithError(
  shape: ScoreShape,
  head: number,
  [row, token]: readonly [query: number, key: number],
  query: Float32Array,
  key: Float32Array,
): { readonly score: number; readonly error: number } {
  const { headDim, softcap = 0, alibi } = shape;
  let [sum, squares] = [0, 0];
  for (let d = 0; d < headDim; d++) {
    const term = (query[d] ?? Number.NaN) * (key[d] ?? Number.NaN);
    sum += term;
    squares += term * term;
  }
  const slope = alibi === undefined ? 0 : slopeOf(alibi.first + head, alibi.heads);
  const error =
    Math.abs(scaleOf(shape)) *
      (sumError(headDim, squares, sum) + 4 * unitRoundoff.f32 * Math.abs(sum)) +
    // What exp2 and a division lose of a tanh and of a slope, each of at most 1.
    16 * unitRoundoff.f32 * softcap +
    32 * unitRoundoff.f32 * slope * Math.abs(row - token);
  return { score: scoreOf(shape, head, row, token, sum), error };
}
