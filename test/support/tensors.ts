// Tensors of kernel tests: logical values in f64 on one side, padded bytes as GPUs hold them on the other.

import { fromHalf, toHalf } from "../../src/kernels/half.ts";
import {
  bytesPerElement,
  type DType,
  rowPitch,
  type StorageType,
} from "../../src/kernels/storage.ts";

/** Row-major, without padding. */
export interface Tensor {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export function tensor(rows: number, columns: number, values: ArrayLike<number>): Tensor {
  return {
    rows,
    columns,
    values: Float64Array.from(values),
  };
}

/** The same numbers on every run: uniform in [-1, 1], rounded to what `dtype` can hold. */
export function randomTensor(
  rows: number,
  columns: number,
  dtype: StorageType,
  random: () => number,
): Tensor {
  const values = Float64Array.from({ length: rows * columns }, () =>
    rounded(2 * random() - 1, dtype),
  );
  return { rows, columns, values };
}

/** A small linear congruential generator: test data has to vary, not to be random. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function rounded(value: number, dtype: StorageType): number {
  return dtype === "f32" ? Math.fround(value) : fromHalf(toHalf(value));
}

/** Bytes of a padded tensor; `u32` and `f32` tables of a kernel are given as [1, n] without padding. */
export function encode({ rows, columns, values }: Tensor, dtype: StorageType): Uint8Array {
  const pitch = rowPitch(columns);
  const bytes = new Uint8Array(rows * pitch * bytesPerElement(dtype));
  const view = dtype === "f32" ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column] ?? 0;
      view[row * pitch + column] = dtype === "f32" ? value : toHalf(value);
    }
  }
  return bytes;
}

/** Throws where padding is not zero. */
export function decode(
  bytes: ArrayBuffer,
  rows: number,
  columns: number,
  dtype: StorageType,
): Tensor {
  const pitch = rowPitch(columns);
  const view = dtype === "f32" ? new Float32Array(bytes) : new Uint16Array(bytes);
  const at = (index: number): number => {
    const value = view[index] ?? Number.NaN;
    return dtype === "f32" ? value : fromHalf(value);
  };
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < pitch; column++) {
      const value = at(row * pitch + column);
      if (column < columns) values[row * columns + column] = value;
      else if (value !== 0) {
        throw new Error(`padding of row ${row} holds ${value} in column ${column}`);
      }
    }
  }
  return { rows, columns, values };
}

export function encodeIds(ids: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(ids).buffer);
}

export function decodeIds(bytes: ArrayBuffer): number[] {
  return [...new Uint32Array(bytes)];
}

export function tensorBytes(rows: number, columns: number, dtype: DType): number {
  return rows * (dtype === "u32" ? columns : rowPitch(columns)) * bytesPerElement(dtype);
}
