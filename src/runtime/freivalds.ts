// Freivalds' check: is y = x · w? Multiplying both sides by a random vector of ±1 costs O(n²) instead of
// O(n³), and a wrong y escapes with probability at most 1/2 per vector, in practice far less.

import type { GroupedMatmulShape } from "../kernels/grouped_matmul.ts";
import { fromHalf } from "../kernels/half.ts";
import type { MatmulShape } from "../kernels/matmul.ts";
import { rowPitch, type StorageType } from "../kernels/storage.ts";
import type { KernelInstruction } from "../program/program.ts";

export interface FreivaldsReport {
  /** Largest residual of any row of any product, relative to the row's norm. */
  readonly residual: number;
  readonly checked: number;
  /** Products that an activation was applied to in the same kernel, which hides y. */
  readonly skipped: number;
}

/** Matrices [rows, columns] in f64, row pitch = padded columns. */
interface Product {
  readonly x: Float64Array;
  readonly w: Float64Array;
  readonly y: Float64Array;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export const emptyReport: FreivaldsReport = { residual: 0, checked: 0, skipped: 0 };

export const mergeReports = (a: FreivaldsReport, b: FreivaldsReport): FreivaldsReport => ({
  residual: Math.max(a.residual, b.residual),
  checked: a.checked + b.checked,
  skipped: a.skipped + b.skipped,
});

export const isProduct = (instruction: {
  readonly op: string;
  readonly kernel?: string;
}): boolean =>
  instruction.op === "kernel" &&
  (instruction.kernel === "matmul" || instruction.kernel === "grouped_matmul");

/** @param read bytes of one of the instruction's buffers, all of it */
export async function checkProduct(
  instruction: KernelInstruction,
  read: (buffer: string) => Promise<Uint8Array<ArrayBuffer>>,
  random: () => number,
): Promise<FreivaldsReport> {
  const { kernel, shape, buffers, dtype } = instruction;
  if (kernel !== "matmul" && kernel !== "grouped_matmul") return emptyReport;
  if (shape.activation !== "none") return { ...emptyReport, skipped: 1 };
  const bytes = await Promise.all(buffers.map(read));
  const products =
    kernel === "matmul" ? [wholeProduct(shape, bytes, dtype)] : expertProducts(shape, bytes, dtype);
  let residual = 0;
  for (const product of products) residual = Math.max(residual, residualOf(product, random));
  return { residual, checked: 1, skipped: 0 };
}

function wholeProduct(
  { m, n, k }: MatmulShape,
  [x = empty, w = empty, y = empty]: readonly Uint8Array<ArrayBuffer>[],
  dtype: StorageType,
): Product {
  return { m, n, k, x: decode(x, dtype), w: decode(w, dtype), y: decode(y, dtype) };
}

function expertProducts(
  { experts, n, k }: GroupedMatmulShape,
  [x = empty, w = empty, offsets = empty, y = empty]: readonly Uint8Array<ArrayBuffer>[],
  dtype: StorageType,
): Product[] {
  const first = new Uint32Array(offsets.buffer);
  const [rows, weights, results] = [decode(x, dtype), decode(w, dtype), decode(y, dtype)];
  return Array.from({ length: experts }, (_, e) => {
    const [begin, end] = [first[e] ?? 0, first[e + 1] ?? 0];
    return {
      m: end - begin,
      n,
      k,
      x: rows.subarray(begin * rowPitch(k), end * rowPitch(k)),
      w: weights.subarray(e * k * rowPitch(n), (e + 1) * k * rowPitch(n)),
      y: results.subarray(begin * rowPitch(n), end * rowPitch(n)),
    };
  });
}

const empty = new Uint8Array();

const decode = (bytes: Uint8Array<ArrayBuffer>, dtype: StorageType): Float64Array =>
  dtype === "f16"
    ? Float64Array.from(new Uint16Array(bytes.buffer), fromHalf)
    : Float64Array.from(new Float32Array(bytes.buffer));

/** Largest |y·r − x·(w·r)| of a row, over the norm of that row of y, or of an average row if that is more. */
export function residualOf({ x, w, y, m, n, k }: Product, random: () => number): number {
  const r = Float64Array.from({ length: n }, () => (random() < 0.5 ? -1 : 1));
  const wr = Float64Array.from({ length: k }, (_, row) => dot(w, row * rowPitch(n), r));
  const norms = Array.from({ length: m }, (_, row) => {
    const values = y.subarray(row * rowPitch(n), row * rowPitch(n) + n);
    return values.reduce((sum, value) => sum + value * value, 0);
  });
  const average = Math.sqrt(norms.reduce((sum, square) => sum + square, 0) / Math.max(m, 1));
  let largest = 0;
  for (let row = 0; row < m; row++) {
    const difference = Math.abs(dot(y, row * rowPitch(n), r) - dot(x, row * rowPitch(k), wr));
    const residual = difference / Math.max(Math.sqrt(norms[row] ?? 0), average);
    // Neither NaN, nor anything beside an all-zero result, may pass for small.
    if (difference !== 0) largest = Math.max(largest, Number.isNaN(residual) ? Infinity : residual);
  }
  return largest;
}

function dot(values: Float64Array, start: number, vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++)
    sum += (values[start + i] ?? Number.NaN) * (vector[i] ?? 0);
  return sum;
}
