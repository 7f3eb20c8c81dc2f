// Freivalds' check: is y = x · w? Both sides times a vector cost O(n²) instead of O(n³), for every row of y. The vectors
// are real and keep away from 0, so that no wrong element is multiplied by next to nothing or cancels another; and
// there are several, so that a wrong row would have to be orthogonal to all of them.
//
// What the vector makes of right roundings is a random walk too: those of n stored results add up to √n of them, at
// 4 standard deviations or more; those of sums come on top (`sumError`).

import { rowPitch, type StorageType } from "../../kernels/storage.ts";
import type { Deviation } from "../../reference/deviation.ts";
import { smallestError, unitRoundoff } from "../../reference/rounding.ts";
import type { Pace } from "./decode.ts";

/** One matrix product, [rows, columns] each, row pitch = padded columns. */
export interface CheckedProduct {
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** What y held before the product was added to it; absent where it was written over. */
  readonly before?: Float32Array;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Row of the kernel's result that this product begins with. */
  readonly firstRow: number;
}

/** What the check keeps of w [k, n]: enough for any x. */
export interface RandomProjection {
  /** n each. */
  readonly vectors: readonly [Float64Array, Float64Array];
  /** w times each of them: k each. */
  readonly images: readonly [Float64Array, Float64Array];
  /** Σ w² of each row: k. */
  readonly squares: Float64Array;
  /** Some columns of w, whole: k each. */
  readonly columns: ReadonlyMap<number, Float32Array>;
}

/** Columns of w in which some elements of y are made again. */
const sampledColumns = 16;

/** Largest magnitude in a vector; the smallest is 0.5. */
const longest = 1.5;

function vectorOf(n: number, random: () => number): Float64Array {
  return Float64Array.from({ length: n }, () => (0.5 + random()) * (random() < 0.5 ? -1 : 1));
}

export async function project(
  w: Float32Array,
  k: number,
  n: number,
  random: () => number,
  pace: Pace,
): Promise<RandomProjection> {
  const [r0, r1] = [vectorOf(n, random), vectorOf(n, random)];
  const [image0, image1] = [new Float64Array(k), new Float64Array(k)];
  const squares = new Float64Array(k);
  const pitch = rowPitch(n);
  for (let row = 0; row < k; row++) {
    const at = row * pitch;
    let [s0, s1, square] = [0, 0, 0];
    for (let j = 0; j < n; j++) {
      const value = w[at + j] ?? Number.NaN;
      s0 += value * (r0[j] ?? 0);
      s1 += value * (r1[j] ?? 0);
      square += value * value;
    }
    image0[row] = s0;
    image1[row] = s1;
    squares[row] = square;
    await pace(3 * n);
  }
  const chosen = new Set([0, n - 1]);
  while (chosen.size < Math.min(n, sampledColumns)) chosen.add(Math.floor(random() * n));
  const columns = new Map(
    [...chosen].map((column) => [
      column,
      Float32Array.from({ length: k }, (_, row) => w[row * pitch + column] ?? Number.NaN),
    ]),
  );
  return { vectors: [r0, r1], images: [image0, image1], squares, columns };
}

export interface Rounding {
  readonly stored: StorageType;
  readonly arithmetic: StorageType;
}

/** Every row of y; its place in `deviation` says column 1. */
export async function checkRows(
  { x, y, before, m, n, k, firstRow }: CheckedProduct,
  { vectors: [r0, r1], images: [image0, image1], squares }: RandomProjection,
  { stored, arithmetic }: Rounding,
  deviation: Deviation,
  pace: Pace,
): Promise<void> {
  const [pitchX, pitchY] = [rowPitch(k), rowPitch(n)];
  // Few roundings cannot be farther off than all of them together.
  const spread = Math.min(4, longest * Math.sqrt(n));
  const perSum = 12 * Math.sqrt(k) * unitRoundoff[arithmetic];
  const tiny = spread * Math.sqrt(n) * smallestError[stored];
  for (let row = 0; row < m; row++) {
    let [actual0, actual1, norm] = [0, 0, 0];
    for (let j = 0; j < n; j++) {
      const held = y[row * pitchY + j] ?? Number.NaN;
      const value = held - (before?.[row * pitchY + j] ?? 0);
      actual0 += value * (r0[j] ?? 0);
      actual1 += value * (r1[j] ?? 0);
      norm += held * held;
    }
    let [expected0, expected1, terms] = [0, 0, 0];
    for (let i = 0; i < k; i++) {
      const value = x[row * pitchX + i] ?? Number.NaN;
      expected0 += value * (image0[i] ?? 0);
      expected1 += value * (image1[i] ?? 0);
      terms += value * value * (squares[i] ?? 0);
    }
    const accepted =
      spread * unitRoundoff[stored] * Math.sqrt(norm) + perSum * Math.sqrt(terms + norm) + tiny;
    deviation.add(actual0, expected0, accepted, firstRow + row, 0);
    deviation.add(actual1, expected1, accepted, firstRow + row, 0);
    await pace(3 * (n + k));
  }
}
