// Gradients of y = x · w + bias, in f64.

import { type Matrix, multiply, rowOf, transpose } from "../tensor.ts";

/** dx[m, k] = dy[m, n] · wᵀ, w [k, n]. */
export function inputGradient(dy: Matrix, w: Matrix): Matrix {
  return multiply(dy, transpose(w));
}

/** dw[k, n] = xᵀ · dy, x [m, k]. */
export function weightGradient(x: Matrix, dy: Matrix): Matrix {
  return multiply(transpose(x), dy);
}

/** dbias[n] = Σ over the rows of dy[m, n]. */
export function biasGradient(dy: Matrix): Float64Array {
  const sums = new Float64Array(dy.columns);
  for (let row = 0; row < dy.rows; row++) {
    for (const [column, value] of rowOf(dy, row).entries()) sums[column]! += value;
  }
  return sums;
}

export interface AffineGradients {
  readonly dx: Matrix;
  readonly dw: Matrix;
  readonly dbias: Float64Array;
}

/** All of them, of x[m, k] · w[k, n] + bias[n]. */
export function affineGradients(x: Matrix, w: Matrix, dy: Matrix): AffineGradients {
  return { dx: inputGradient(dy, w), dw: weightGradient(x, dy), dbias: biasGradient(dy) };
}
