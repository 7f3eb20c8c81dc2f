// How tensors lie in memory, the same on every adapter.
//
// A tensor [rows, columns] is row-major and each row is padded with zeros to a whole number of quads
// (4 elements), so that every kernel reads and writes vec4s. Kernels keep the padding zero.

/** Element type of activations and weights in memory; arithmetic is always f32. */
export type StorageType = "f32" | "f16";

/** Element type of any buffer. */
export type DType = StorageType | "u32";

export function bytesPerElement(dtype: DType): number {
  return dtype === "f16" ? 2 : 4;
}

export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}

/** Quads of a row with that many columns. */
export function rowQuads(columns: number): number {
  return ceilDiv(columns, 4);
}

/** Elements from one row to the next of a tensor with that many columns. */
export function rowPitch(columns: number): number {
  return ceilDiv(columns, 4) * 4;
}

/** Elements that a [rows, columns] tensor occupies, padding included. */
export function paddedElements(rows: number, columns: number): number {
  return rows * rowPitch(columns);
}
