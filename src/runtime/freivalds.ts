// Freivalds' check: is y = x · w? Multiplying both sides by a random vector of ±1 costs O(n²) instead of
// O(n³), and a wrong y escapes with probability at most 1/2 per vector, in practice far less.

import { rowPitch } from "../kernels/storage.ts";
import type { Pace } from "./decode.ts";

/** Matrices [rows, columns], row pitch = padded columns. */
export interface Product {
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly y: Float32Array;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Largest |y·r − x·(w·r)| of a row, over the norm of that row of y, or of an average row if that is more. */
export async function residualOf(
  { x, w, y, m, n, k }: Product,
  random: () => number,
  pace: Pace,
): Promise<number> {
  const r = Float64Array.from({ length: n }, () => (random() < 0.5 ? -1 : 1));
  const wr = await timesVector(w, k, r, pace);
  const norms = new Float64Array(m);
  for (let row = 0; row < m; row++) {
    norms[row] = squareSum(y, row * rowPitch(n), n);
    await pace(n);
  }
  const average = Math.sqrt(norms.reduce((sum, square) => sum + square, 0) / Math.max(m, 1));
  const actual = await timesVector(y, m, r, pace);
  const expected = await timesVector(x, m, wr, pace);
  let largest = 0;
  for (let row = 0; row < m; row++) {
    const difference = Math.abs((actual[row] ?? 0) - (expected[row] ?? 0));
    const residual = difference / Math.max(Math.sqrt(norms[row] ?? 0), average);
    // Neither NaN, nor anything beside an all-zero result, may pass for small.
    if (difference !== 0) largest = Math.max(largest, Number.isNaN(residual) ? Infinity : residual);
  }
  return largest;
}

async function timesVector(
  values: Float32Array,
  rows: number,
  vector: Float64Array,
  pace: Pace,
): Promise<Float64Array> {
  const out = new Float64Array(rows);
  const pitch = rowPitch(vector.length);
  for (let row = 0; row < rows; row++) {
    out[row] = dot(values, row * pitch, vector);
    await pace(vector.length);
  }
  return out;
}

function dot(values: Float32Array, start: number, vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++)
    sum += (values[start + i] ?? Number.NaN) * (vector[i] ?? 0);
  return sum;
}

function squareSum(values: Float32Array, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += (values[i] ?? Number.NaN) ** 2;
  return sum;
}
