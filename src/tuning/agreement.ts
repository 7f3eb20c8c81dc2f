// Whether a variant computes what the kernel's own shader computes, from the bytes that both wrote. Pure.

import { fromHalf, toHalf } from "../kernels/half.ts";
import type { DType } from "../kernels/storage.ts";

/** One output buffer: what lay in it before, and what each variant left there. All of the same size. */
export interface Outputs {
  readonly before: ArrayBuffer;
  readonly reference: ArrayBuffer;
  readonly actual: ArrayBuffer;
}

/**
 * Largest difference of any element, relative to the largest that the reference wrote; Infinity for NaN.
 * Integers agree or do not: 0 or Infinity.
 */
export function errorOf({ before, reference, actual }: Outputs, dtype: DType): number {
  const was = bitsOf(before, dtype);
  const found = bitsOf(actual, dtype);
  const value = valueOf(dtype);
  let scale = 0;
  let difference = 0;
  for (const [i, bits] of bitsOf(reference, dtype).entries()) {
    if (bits !== was[i]) scale = Math.max(scale, Math.abs(value(bits)) || 0);
    const other = found[i] ?? 0;
    if (bits === other) continue;
    const apart = dtype === "u32" ? Infinity : Math.abs(value(bits) - value(other));
    difference = Math.max(difference, Number.isNaN(apart) ? Infinity : apart);
  }
  return difference === 0 ? 0 : difference / (scale === 0 ? 1 : scale);
}

/**
 * How far two right variants may lie apart, relative to the largest element. Each adds up `terms` products in an
 * order of its own, and the rounding errors of a sum grow like a random walk: √terms, times the partial sums,
 * which are about as large as the largest results. The factor 8 is for two variants and for chance. A term that
 * is missing or wrong weighs about 1/√terms, far more.
 */
export function allowedError(terms: number, dtype: DType): number {
  if (dtype === "u32") return 0;
  const arithmetic = 8 * Math.sqrt(terms) * 2 ** -24;
  // Two roundings to storage, with as much again for chance; in f32 what a run as a whole accepts.
  return Math.max(arithmetic, dtype === "f16" ? 2 ** -9 : 1e-5);
}

/** Bytes that no variant writes by chance and that are harmless where one reads them: values in [-1, 1). */
export function beforehand(bytes: number, dtype: DType): ArrayBuffer {
  const words = bitsOf(new ArrayBuffer(bytes), dtype);
  const float = dtype === "f32" ? new Float32Array(words.buffer) : undefined;
  let state = 1;
  for (let i = 0; i < words.length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const fraction = state / 2 ** 31 - 1;
    if (float !== undefined) float[i] = fraction;
    else words[i] = dtype === "f16" ? toHalf(fraction) : state;
  }
  return words.buffer;
}

function bitsOf(
  bytes: ArrayBuffer,
  dtype: DType,
): Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  return dtype === "f16" ? new Uint16Array(bytes) : new Uint32Array(bytes);
}

function valueOf(dtype: DType): (bits: number) => number {
  if (dtype === "u32") return (bits) => bits;
  if (dtype === "f16") return fromHalf;
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  return (bits) => {
    word[0] = bits;
    return float[0] ?? Number.NaN;
  };
}
