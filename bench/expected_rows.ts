// What single rows of a result are in f64, with the magnitudes that tolerances need.

import type { Expected } from "../test/support/tolerance.ts";

/** Row-major values; row r begins at r · pitch + offset. */
export interface Rows {
  readonly values: Float32Array | Float64Array;
  readonly pitch: number;
  readonly offset: number;
}

export function rowsOf(values: Rows["values"], pitch: number, offset = 0): Rows {
  return {
    values,
    pitch,
    offset,
  };
}

/** Up to `most` of them: evenly spread, both ends among them. */
export function sampledRows(rows: number, most: number): number[] {
  const count = Math.max(1, Math.min(rows, Math.floor(most)));
  if (count === 1) return [rows - 1];
  return Array.from({ length: count }, (_, i) => Math.round((i * (rows - 1)) / (count - 1)));
}

/** x[row] · w. `loss` is how much each x may be off, in its roundings; 1 where it is exact. */
export function productRow(
  x: Rows["values"],
  w: Rows,
  columns: number,
  magnitudesOfX: Rows["values"] = x,
): Expected {
  const values = new Float64Array(columns);
  const magnitudes = new Float64Array(columns);
  for (let i = 0; i < x.length; i += 1) {
    const factor = x[i] ?? 0;
    const size = Math.abs(magnitudesOfX[i] ?? 0);
    const first = i * w.pitch + w.offset;
    for (let column = 0; column < columns; column += 1) {
      const weight = w.values[first + column] ?? 0;
      values[column] = (values[column] ?? 0) + factor * weight;
      magnitudes[column] = (magnitudes[column] ?? 0) + Math.abs(size * weight);
    }
  }
  return { values, magnitudes, terms: x.length };
}

/** relu(x · up) · down, for one row of x. What the first product may be off, the second passes on. */
export function expertRow(
  x: Rows["values"],
  up: Rows,
  ffn: number,
  down: Rows,
  hidden: number,
): Expected {
  const inner = productRow(x, up, ffn);
  const active = inner.values.map((value) => Math.max(0, value));
  const result = productRow(active, down, hidden, inner.magnitudes);
  return { ...result, terms: x.length + ffn };
}

/** x / √(mean(x²) + epsilon) · gain. */
export function rmsNormRow(x: Rows["values"], gain: Rows["values"], epsilon: number): Expected {
  let squares = 0;
  for (const value of x) squares += value * value;
  const scale = 1 / Math.sqrt(squares / x.length + epsilon);
  const values = Float64Array.from(x, (value, i) => value * scale * (gain[i] ?? 0));
  return { values, magnitudes: values.map(Math.abs), terms: x.length };
}

/** exp(x - max) / Σ exp(x - max). What a difference is rounded by makes its exponential off in proportion. */
export function softmaxRow(x: Rows["values"]): Expected {
  const largest = Float64Array.from(x).reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = Float64Array.from(x, (value) => Math.exp(value - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  const values = exponentials.map((value) => value / total);
  const magnitudes = values.map((value, i) => value * (1 + largest - (x[i] ?? 0)));
  return { values, magnitudes, terms: x.length };
}

export interface AttentionHeads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/**
 * softmax(q · kᵀ / √headDim) · v of one query over the first `keys` keys, all heads side by side. What a
 * score is off makes its weight off in proportion, so score magnitudes multiply those of the result.
 */
export function attentionRow(
  q: Rows["values"],
  k: Rows,
  v: Rows,
  keys: number,
  { heads, kvHeads, headDim }: AttentionHeads,
): Expected {
  const values = new Float64Array(heads * headDim);
  const magnitudes = new Float64Array(values.length);
  const weights = new Float64Array(keys);
  for (let head = 0; head < heads; head += 1) {
    const from = head * headDim;
    const kvFrom = Math.floor((head * kvHeads) / heads) * headDim;
    let scoreMagnitude = 0;
    for (let key = 0; key < keys; key += 1) {
      let sum = 0;
      let magnitude = 0;
      const first = key * k.pitch + k.offset + kvFrom;
      for (let d = 0; d < headDim; d += 1) {
        const term = (q[from + d] ?? 0) * (k.values[first + d] ?? 0);
        sum += term;
        magnitude += Math.abs(term);
      }
      weights[key] = sum / Math.sqrt(headDim);
      scoreMagnitude = Math.max(scoreMagnitude, magnitude / Math.sqrt(headDim));
    }
    const largest = weights.reduce((a, b) => Math.max(a, b), -Infinity);
    let total = 0;
    for (let key = 0; key < keys; key += 1) {
      weights[key] = Math.exp((weights[key] ?? 0) - largest);
      total += weights[key] ?? 0;
    }
    for (let key = 0; key < keys; key += 1) {
      const weight = (weights[key] ?? 0) / total;
      const first = key * v.pitch + v.offset + kvFrom;
      for (let d = 0; d < headDim; d += 1) {
        const term = weight * (v.values[first + d] ?? 0);
        values[from + d] = (values[from + d] ?? 0) + term;
        magnitudes[from + d] = (magnitudes[from + d] ?? 0) + Math.abs(term) * (1 + scoreMagnitude);
      }
    }
  }
  return { values, magnitudes, terms: keys + headDim };
}
