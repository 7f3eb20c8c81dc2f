// Short convolutions of each column by itself, over the tokens of a sequence, in f64.

import { matrix, type Matrix, rowOf } from "./tensor.ts";

/**
 * x [rows, columns], whole sequences; each token of the result is the sum of its own and earlier ones.
 *
 * @param w [taps, columns], the last row a token's own weights
 */
export function causalConv(x: Matrix, w: Matrix, sequence: number): Matrix {
  const out = matrix(x.rows, x.columns);
  eachTap(x.rows, w.rows, sequence, (row, source, tap) => {
    const [target, values, by] = [rowOf(out, row), rowOf(x, source), rowOf(w, tap)];
    for (let c = 0; c < target.length; c++) target[c]! += by[c]! * values[c]!;
  });
  return out;
}

export function causalConvGradients(
  x: Matrix,
  w: Matrix,
  dy: Matrix,
  sequence: number,
): { readonly dx: Matrix; readonly dw: Matrix } {
  const [dx, dw] = [matrix(x.rows, x.columns), matrix(w.rows, w.columns)];
  eachTap(x.rows, w.rows, sequence, (row, source, tap) => {
    const given = rowOf(dy, row);
    const [dSource, values] = [rowOf(dx, source), rowOf(x, source)];
    const [dBy, by] = [rowOf(dw, tap), rowOf(w, tap)];
    for (let c = 0; c < given.length; c++) {
      dSource[c]! += by[c]! * given[c]!;
      dBy[c]! += values[c]! * given[c]!;
    }
  });
  return { dx, dw };
}

/** Every token with each that it sees, and by which weights. */
function eachTap(
  rows: number,
  taps: number,
  sequence: number,
  see: (row: number, source: number, tap: number) => void,
): void {
  for (let row = 0; row < rows; row++) {
    const seen = Math.min((row % sequence) + 1, taps);
    for (let back = 0; back < seen; back++) see(row, row - back, taps - 1 - back);
  }
}
