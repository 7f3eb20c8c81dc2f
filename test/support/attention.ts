// Attention by its definition in f64, one query and head at a time.

import { at } from "./matrix_product.ts";
import type { Tensor } from "./tensors.ts";
import type { Expected } from "./tolerance.ts";

/** A head of one token: `headDim` columns of a tensor, from `column` on. */
export interface HeadAt {
  readonly tensor: Tensor;
  readonly row: number;
  readonly column: number;
}

/** One query head, and what it sees. */
export interface QueryHead {
  readonly query: HeadAt;
  /** Rows of keys and of values, at the same places: `count` of them from `row` on. */
  readonly keys: HeadAt;
  readonly values: HeadAt;
  readonly count: number;
}

/**
 * softmax(q · kᵀ / √headDim) · v of every query head, one after the other. An absolute error in a score becomes
 * a relative error of its probability, so the magnitude of the score sums multiplies that of the output.
 */
export function attentionOf(queryHeads: readonly QueryHead[], headDim: number): Expected {
  const values = new Float64Array(queryHeads.length * headDim);
  const magnitudes = new Float64Array(values.length);
  let most = 0;
  for (const [index, { query, keys, values: rows, count }] of queryHeads.entries()) {
    most = Math.max(most, count);
    const scores: number[] = [];
    let scoreMagnitude = 0;
    for (let key = 0; key < count; key++) {
      let sum = 0;
      let magnitude = 0;
      for (let d = 0; d < headDim; d++) {
        const product =
          at(query.tensor, query.row, query.column + d) *
          at(keys.tensor, keys.row + key, keys.column + d);
        sum += product / Math.sqrt(headDim);
        magnitude += Math.abs(product) / Math.sqrt(headDim);
      }
      scores.push(sum);
      scoreMagnitude = Math.max(scoreMagnitude, magnitude);
    }
    const largest = Math.max(...scores);
    const exponentials = scores.map((score) => Math.exp(score - largest));
    const total = exponentials.reduce((a, b) => a + b, 0);
    for (let d = 0; d < headDim; d++) {
      const place = index * headDim + d;
      for (const [key, exponential] of exponentials.entries()) {
        const term = (exponential / total) * at(rows.tensor, rows.row + key, rows.column + d);
        values[place] = (values[place] ?? 0) + term;
        magnitudes[place] = (magnitudes[place] ?? 0) + Math.abs(term) * (1 + scoreMagnitude);
      }
    }
  }
  return { values, magnitudes, terms: most + headDim };
}
