// Gradients of norms, in f64.

import { addTo, dot, matrix, type Matrix, rowOf } from "../tensor.ts";

export interface NormRule {
  readonly epsilon: number;
  /** Of a layer norm: the mean is taken off. */
  readonly centered: boolean;
}

export interface NormStatistics {
  readonly mean: number;
  /** What a row less its mean is multiplied by. */
  readonly scale: number;
}

export function normStatistics(
  row: ArrayLike<number>,
  { epsilon, centered }: NormRule,
): NormStatistics {
  const columns = row.length;
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += row[c] ?? Number.NaN;
  const mean = centered ? sum / columns : 0;
  let squares = 0;
  for (let c = 0; c < columns; c++) squares += ((row[c] ?? Number.NaN) - mean) ** 2;
  return { mean, scale: 1 / Math.sqrt(squares / columns + epsilon) };
}

export interface NormGradients {
  readonly dx: Matrix;
  readonly dgain: Float64Array;
  readonly dbias: Float64Array;
}

/** Of y = norm(x) · gain + bias over each row. */
export function normGradients(
  x: Matrix,
  gain: Float64Array,
  dy: Matrix,
  rule: NormRule,
): NormGradients {
  const dx = matrix(x.rows, x.columns);
  const dgain = new Float64Array(x.columns);
  const dbias = new Float64Array(x.columns);
  for (let row = 0; row < x.rows; row++) {
    const given = rowOf(dy, row);
    rowOf(dx, row).set(normRowGradient(rowOf(x, row), gain, given, rule, dgain));
    addTo(dbias, given);
  }
  return { dx, dgain, dbias };
}

/**
 * dx of n · gain, n = s · (x - mean): dx = s · (g - mean(g) - n · mean(g · n)), g = dy · gain; mean(g) only where the
 * mean of x is taken off (Ba et al., Layer Normalization, 2016; Zhang and Sennrich, Root Mean Square Layer
 * Normalization, 2019).
 *
 * @param dgain dy · n is added to it; absent: nobody needs it
 */
export function normRowGradient(
  x: Float64Array,
  gain: ArrayLike<number> | undefined,
  dy: Float64Array,
  rule: NormRule,
  dgain?: Float64Array,
): Float64Array {
  const { mean, scale } = normStatistics(x, rule);
  const normed = x.map((value) => (value - mean) * scale);
  const weighted = gain === undefined ? dy : dy.map((value, c) => value * gain[c]!);
  const shift = rule.centered ? weighted.reduce((sum, value) => sum + value, 0) / x.length : 0;
  const pull = dot(weighted, normed) / x.length;
  for (let c = 0; c < (dgain?.length ?? 0); c++) dgain![c]! += dy[c]! * normed[c]!;
  return weighted.map((value, c) => scale * (value - shift - normed[c]! * pull));
}
