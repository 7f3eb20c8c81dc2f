// Gradients of norms, in f64.

import { matrix, type Matrix, rowOf } from "../tensor.ts";

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

/** Of y = norm(x) · gain + bias over each row: dx = s · (g - mean(g) - n · mean(g · n)), g = dy · gain, n = (x - mean) · s. */
export function normGradients(
  x: Matrix,
  gain: Float64Array,
  dy: Matrix,
  rule: NormRule,
): NormGradients {
  const { columns } = x;
  const dx = matrix(x.rows, columns);
  const dgain = new Float64Array(columns);
  const dbias = new Float64Array(columns);
  for (let row = 0; row < x.rows; row++) {
    const own = rowOf(x, row);
    const { mean, scale } = normStatistics(own, rule);
    const normed = own.map((value) => (value - mean) * scale);
    const given = rowOf(dy, row);
    const weighted = given.map((value, c) => value * gain[c]!);
    const shift = rule.centered ? weighted.reduce((sum, value) => sum + value, 0) / columns : 0;
    const pull = weighted.reduce((sum, value, c) => sum + value * normed[c]!, 0) / columns;
    const target = rowOf(dx, row);
    for (let c = 0; c < columns; c++) {
      target[c] = scale * (weighted[c]! - shift - normed[c]! * pull);
      dgain[c]! += given[c]! * normed[c]!;
      dbias[c]! += given[c]!;
    }
  }
  return { dx, dgain, dbias };
}
