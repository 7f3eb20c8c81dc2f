// The numbers behind a Content, as a buffer or the reference holds them.

import { fromHalf, toHalf } from "../kernels/half.ts";
import {
  bytesPerElement,
  ceilDiv,
  rowPitch,
  type DType,
  type StorageType,
} from "../kernels/storage.ts";
import type { Content, RegionContent } from "./content.ts";
import { regionColumns, type ContentSource, regionRows } from "./content_source.ts";
import { rotationValues } from "./rotation_values.ts";

/** Whole rows of a content as they lie in a buffer: padded to quads, except token ids. */
export interface ContentBlock {
  /** Bytes from the content's begin. */
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** All bytes of a content, in order, in blocks of about `blockBytes`, for which there must be time. */
export function* contentBlocks(
  content: Content,
  source: ContentSource,
  dtype: DType,
  blockBytes = 2 ** 21,
): Generator<ContentBlock> {
  const parts = partsOf(content);
  const rowBytes = bytesPerElement(dtype) * parts.reduce((sum, part) => sum + pitchOf(part), 0);
  const rows = regionRows(parts[0] ?? noPart());
  // Blocks begin with a word.
  const most = 4 * Math.max(1, Math.floor(blockBytes / (4 * rowBytes)));
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row);
    yield { offset: row * rowBytes, bytes: fillRows(parts, source, dtype, row, count) };
  }
}

/** All of them at once. */
export function fillContent(
  content: Content,
  source: ContentSource,
  dtype: DType,
): Uint8Array<ArrayBuffer> {
  const parts = partsOf(content);
  return fillRows(parts, source, dtype, 0, regionRows(parts[0] ?? noPart()));
}

export function partsOf(content: Content): readonly RegionContent[] {
  return content.kind === "beside" ? content.parts : [content];
}

/** As a buffer holds them, in whole words. */
export function contentBytes(content: Content, dtype: DType): number {
  const parts = partsOf(content);
  const pitch = parts.reduce((sum, part) => sum + pitchOf(part), 0);
  return ceilDiv(regionRows(parts[0] ?? noPart()) * pitch * bytesPerElement(dtype), 4) * 4;
}

function fillRows(
  parts: readonly RegionContent[],
  source: ContentSource,
  dtype: DType,
  firstRow: number,
  rows: number,
): Uint8Array<ArrayBuffer> {
  const pitch = parts.reduce((sum, part) => sum + pitchOf(part), 0);
  const bytes = new Uint8Array(ceilDiv(rows * pitch * bytesPerElement(dtype), 4) * 4);
  const target = elementsIn(bytes, dtype);
  const isHalf = dtype === "f16";
  let first = 0;
  for (const part of parts) {
    const columns = regionColumns(part);
    const values = valuesOf(part, source, firstRow, rows);
    for (let row = 0; row < rows; row++) {
      const start = row * pitch + first;
      for (let column = 0; column < columns; column++) {
        const value = values[row * columns + column]!;
        target[start + column] = isHalf ? toHalf(value) : value;
      }
    }
    first += pitchOf(part);
  }
  return bytes;
}

/** The region's values as storage of that type holds them, unpadded, for the reference. */
export function contentValues(
  content: RegionContent,
  source: ContentSource,
  dtype: StorageType,
): Float64Array {
  const values = valuesOf(content, source, 0, regionRows(content));
  if (dtype === "f32" || content.kind === "ids") return values;
  for (let i = 0; i < values.length; i++) values[i] = roundToHalf(values[i]!);
  return values;
}

function valuesOf(
  content: RegionContent,
  source: ContentSource,
  first: number,
  rows: number,
): Float64Array {
  return content.kind === "rotations"
    ? rotationValues(content, first, rows)
    : source.values(content, first, rows);
}

function noPart(): never {
  throw new RangeError("a content needs at least one part");
}

/** Elements from one row to the next. */
export function pitchOf(content: RegionContent): number {
  return content.kind === "ids" ? regionColumns(content) : rowPitch(regionColumns(content));
}

function elementsIn(bytes: Uint8Array<ArrayBuffer>, dtype: DType) {
  if (dtype === "f16") return new Uint16Array(bytes.buffer);
  return dtype === "u32" ? new Uint32Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

export function roundToHalf(value: number): number {
  return fromHalf(toHalf(value));
}
