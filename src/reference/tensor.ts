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

/** a[m, k] · b[k, n]. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.columns);
  const n = b.columns;
  for (let i = 0; i < a.rows; i++) {
    const target = rowOf(out, i);
    const left = rowOf(a, i);
    let k = 0;
    // Four rows of b at a time: the target row is loaded and stored a quarter as often.
    for (; k + 3 < a.columns; k += 4) {
      const [a0, a1, a2, a3] = [left[k]!, left[k + 1]!, left[k + 2]!, left[k + 3]!];
      const base = k * n;
      const { data } = b;
      for (let j = 0; j < n; j++) {
        target[j]! +=
          a0 * data[base + j]! +
          a1 * data[base + n + j]! +
          a2 * data[base + 2 * n + j]! +
          a3 * data[base + 3 * n + j]!;
      }
    }
    for (; k < a.columns; k++) {
      const a0 = left[k]!;
      const right = rowOf(b, k);
      for (let j = 0; j < n; j++) target[j]! += a0 * right[j]!;
    }
  }
  return out;
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
    for (const [column, value] of rowOf(m, row).entries()) {
      out.data[column * m.rows + row] = value;
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
