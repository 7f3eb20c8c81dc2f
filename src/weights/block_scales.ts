// Tensors whose elements are of 8 or 4 bits, with a scale for every block of them: as f32, they are products.

import { elementsIn, type ReadableType } from "./element_type.ts";
import type { FileWindows } from "./file_windows.ts";

/** `F8_E4M3` by blocks of a matrix (DeepSeek V3), `F4` by runs in a row (microscaling, MXFP4). */
export type ScaledType = "F8_E4M3" | "F4";

/** A block's row r and column c in a matrix with `columns` has its scale at place `r · ceil(columns / blockColumns) + c`. */
export interface BlockScales {
  readonly file: number;
  /** `F8_E8M0` are powers of two. */
  readonly type: ReadableType | "F8_E8M0";
  /** Of the first scale, from the file's begin. */
  readonly offset: number;
  /** Of the scaled matrix. */
  readonly columns: number;
  readonly blockRows: number;
  readonly blockColumns: number;
}

/** Elements that are decoded at once. */
export const mostScaled = 2 ** 20;

/** Four bits: a sign, two of exponent, one of mantissa. */
const magnitudes4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

const values8 = Float32Array.from({ length: 256 }, (_, bits) => fromE4m3(bits));
const values4 = Float32Array.from({ length: 16 }, (_, bits) => {
  const magnitude = magnitudes4[bits & 7] ?? Number.NaN;
  return bits < 8 ? magnitude : -magnitude;
});

/** A sign, four bits of exponent with a bias of 7, three of mantissa; no infinity, and the largest magnitude is no number. */
function fromE4m3(bits: number): number {
  const [sign, exponent, mantissa] = [bits & 0x80 ? -1 : 1, (bits >> 3) & 15, bits & 7];
  if (exponent === 15 && mantissa === 7) return Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -9 : (1 + mantissa / 8) * 2 ** (exponent - 7));
}

/** Elements [first, first + count) of a scaled tensor. @param offset of its first byte */
export function scaledElements(
  files: readonly FileWindows[],
  stored: { readonly file: number; readonly type: ScaledType; readonly offset: number },
  scales: BlockScales,
  first: number,
  count: number,
): Float32Array {
  const { type, offset } = stored;
  const perByte = type === "F4" ? 2 : 1;
  const firstByte = Math.floor(first / perByte);
  const lastByte = Math.floor((first + count - 1) / perByte);
  const bytes = bytesOf(files, stored.file, offset + firstByte, lastByte - firstByte + 1);
  const { columns, blockRows, blockColumns } = scales;
  const acrossBlocks = Math.ceil(columns / blockColumns);
  const placeOf = (element: number): number =>
    Math.floor(element / columns / blockRows) * acrossBlocks +
    Math.floor((element % columns) / blockColumns);
  // Rows of blocks follow each other, so that the last element's row ends with the last scale that is needed.
  const firstScale = Math.floor(first / columns / blockRows) * acrossBlocks;
  const lastScale = (Math.floor((first + count - 1) / columns / blockRows) + 1) * acrossBlocks - 1;
  const own = scalesOf(files, scales, firstScale, lastScale - firstScale + 1);
  return Float32Array.from({ length: count }, (_, i) => {
    const element = first + i;
    const byte = bytes[Math.floor(element / perByte) - firstByte] ?? 0;
    // The even element of two is the lower half of its byte.
    const value =
      type === "F8_E4M3" ? values8[byte] : values4[element % 2 === 0 ? byte & 15 : byte >> 4];
    return (value ?? Number.NaN) * (own[placeOf(element) - firstScale] ?? Number.NaN);
  });
}

function bytesOf(
  files: readonly FileWindows[],
  file: number,
  offset: number,
  bytes: number,
): Uint8Array {
  const span = fileOf(files, file).span(offset, bytes);
  return new Uint8Array(span.memory, offset - span.offset, bytes);
}

function fileOf(files: readonly FileWindows[], file: number): FileWindows {
  const found = files[file];
  if (found === undefined) throw new RangeError(`no file ${file}`);
  return found;
}

function scalesOf(
  files: readonly FileWindows[],
  { file, type, offset }: BlockScales,
  first: number,
  count: number,
): Float32Array {
  if (type === "F8_E8M0") {
    const exponents = bytesOf(files, file, offset + first, count);
    return Float32Array.from(exponents, (bits) => (bits === 255 ? Number.NaN : 2 ** (bits - 127)));
  }
  const width = type === "F32" ? 4 : 2;
  const start = offset + first * width;
  const span = fileOf(files, file).span(start, count * width);
  const { words, values } = elementsIn(span.memory, start - span.offset, count, type);
  return values === undefined
    ? Float32Array.from(words)
    : Float32Array.from(words, (word) => values[word] ?? Number.NaN);
}
