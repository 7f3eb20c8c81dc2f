// Dense [rows, columns] matrices in f64, and the few operations the reference is made of.

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export function matrix(
  rows: number,
  columns: number,
  data: Float64Array = new Float64Array(rows * columns),
): Matrix {
  return { rows, columns, data };
}

export function rowOf(m: Matrix, row: number): Float64Array {
  return m.data.subarray(row * m.columns, (row + 1) * m.columns);
}

/** a[m, k] · b[k, n]: tiles of four rows and two columns, whose sums stay in registers. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.columns);
  const pair = new Float64Array(2 * b.rows);
  const last = a.rows - 1;
  for (let column = 0; column < b.columns; column += 2) {
    // The last of an odd number is computed twice, and so are rows.
    const other = Math.min(column + 1, b.columns - 1);
    for (let k = 0; k < b.rows; k++) {
      pair[2 * k] = b.data[k * b.columns + column]!;
      pair[2 * k + 1] = b.data[k * b.columns + other]!;
    }
    for (let row = 0; row <= last; row += 4) {
      const [r1, r2, r3] = [
        Math.min(row + 1, last),
        Math.min(row + 2, last),
        Math.min(row + 3, last),
      ] as const;
      multiplyTile(out, a, pair, row, r1, r2, r3, column, other);
    }
  }
  return out;
}

/** @param pair columns of b, side by side */
function multiplyTile(
  out: Matrix,
  a: Matrix,
  pair: Float64Array,
  r0: number,
  r1: number,
  r2: number,
  r3: number,
  c0: number,
  c1: number,
): void {
  const inner = a.columns;
  const x = a.data;
  let s00 = 0.0;
  let s01 = 0.0;
  let s10 = 0.0;
  let s11 = 0.0;
  let s20 = 0.0;
  let s21 = 0.0;
  let s30 = 0.0;
  let s31 = 0.0;
  for (let k = 0; k < inner; k++) {
    const left = pair[2 * k]!;
    const right = pair[2 * k + 1]!;
    const x0 = x[r0 * inner + k]!;
    const x1 = x[r1 * inner + k]!;
    const x2 = x[r2 * inner + k]!;
    const x3 = x[r3 * inner + k]!;
    s00 += x0 * left;
    s01 += x0 * right;
    s10 += x1 * left;
    s11 += x1 * right;
    s20 += x2 * left;
    s21 += x2 * right;
    s30 += x3 * left;
    s31 += x3 * right;
  }
  const { columns, data } = out;
  data[r0 * columns + c0] = s00;
  data[r0 * columns + c1] = s01;
  data[r1 * columns + c0] = s10;
  data[r1 * columns + c1] = s11;
  data[r2 * columns + c0] = s20;
  data[r2 * columns + c1] = s21;
  data[r3 * columns + c0] = s30;
  data[r3 * columns + c1] = s31;
}

/** A matrix [k, n] with the bias [n] of its products, where there is one. */
export interface Affine {
  readonly weight: Matrix;
  readonly bias?: Float64Array;
}

/** x[m, k] · weight + bias. */
export function transform(x: Matrix, { weight, bias }: Affine): Matrix {
  const out = multiply(x, weight);
  if (bias === undefined) return out;
  for (let row = 0; row < out.rows; row++) {
    const own = rowOf(out, row);
    for (const [column, value] of bias.entries()) own[column]! += value;
  }
  return out;
}

export function scaled(m: Matrix, factor = 1): Matrix {
  return factor === 1
    ? m
    : matrix(
        m.rows,
        m.columns,
        m.data.map((value) => factor * value),
      );
}

export function transpose(m: Matrix): Matrix {
  const out = matrix(m.columns, m.rows);
  for (let row = 0; row < m.rows; row++) {
    for (let column = 0; column < m.columns; column++) {
      out.data[column * m.rows + row] = m.data[row * m.columns + column]!;
    }
  }
  return out;
}

export function mapValues(m: Matrix, of: (value: number) => number): Matrix {
  return matrix(m.rows, m.columns, m.data.map(of));
}

export function combineValues(
  a: Matrix,
  b: Matrix,
  of: (left: number, right: number) => number,
): Matrix {
  return matrix(
    a.rows,
    a.columns,
    a.data.map((value, i) => of(value, b.data[i]!)),
  );
}

/** The dot product of two equally long vectors. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Into the first, which is as long. */
export function addTo(target: Float64Array, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += values[i]!;
}
