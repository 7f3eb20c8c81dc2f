// Of a product and its bias.

import { type Matrix, multiply, rowOf, transpose } from "../tensor.ts";

export interface AffineGradient {
  /** [m, k] */
  readonly x: Matrix;
  /** [k, n] */
  readonly weight: Matrix;
  /** [n] */
  readonly bias: Float64Array;
}

/** Of x[m, k] · weight[k, n] + bias[n], from that of the result: dx = dy · weightᵀ, dweight = xᵀ · dy, dbias its sum. */
export function affineGradient(x: Matrix, weight: Matrix, dy: Matrix): AffineGradient {
  return {
    x: multiply(dy, transpose(weight)),
    weight: multiply(transpose(x), dy),
    bias: sumOfRows(dy),
  };
}

function sumOfRows(m: Matrix): Float64Array {
  const sum = new Float64Array(m.columns);
  for (let row = 0; row < m.rows; row++) {
    for (const [column, value] of rowOf(m, row).entries()) sum[column]! += value;
  }
  return sum;
}
