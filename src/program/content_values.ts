// The numbers behind a Content: each element is a hash of seed, tensor name and its global index, so any
// shard can be made anywhere without making the whole.

import { fromHalf, toHalf } from "../kernels/half.ts";
import {
  bytesPerElement,
  ceilDiv,
  rowPitch,
  type DType,
  type StorageType,
} from "../kernels/storage.ts";
import type { Content, Region, RegionContent } from "./content.ts";

/** Whole rows of a content as they lie in a buffer: padded to quads, except token ids. */
export interface ContentBlock {
  /** Bytes from the content's begin. */
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** All bytes of a content, in order, in blocks of about `blockBytes`, for which there must be time. */
export function* contentBlocks(
  content: Content,
  seed: number,
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
    yield { offset: row * rowBytes, bytes: fillRows(parts, seed, dtype, row, count) };
  }
}

/** All of them at once. */
export function fillContent(content: Content, seed: number, dtype: DType): Uint8Array<ArrayBuffer> {
  const parts = partsOf(content);
  return fillRows(parts, seed, dtype, 0, regionRows(parts[0] ?? noPart()));
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
  seed: number,
  dtype: DType,
  firstRow: number,
  rows: number,
): Uint8Array<ArrayBuffer> {
  const pitch = parts.reduce((sum, part) => sum + pitchOf(part), 0);
  const bytes = new Uint8Array(ceilDiv(rows * pitch * bytesPerElement(dtype), 4) * 4);
  const target = elementsIn(bytes, dtype);
  let first = 0;
  for (const part of parts) {
    const key = tensorKey(part.tensor, seed);
    const columns = regionColumns(part);
    const numberOf = numbersOf(part, dtype === "f16" ? toHalf : undefined);
    for (let row = 0; row < rows; row++) {
      const start = rowStart(part, firstRow + row);
      for (let column = 0; column < columns; column++) {
        target[row * pitch + first + column] = numberOf(hash(start + column, key));
      }
    }
    first += pitchOf(part);
  }
  return bytes;
}

/** The region's values as storage of that type holds them, unpadded, for the reference. */
export function contentValues(
  content: RegionContent,
  seed: number,
  dtype: StorageType,
): Float64Array {
  const columns = regionColumns(content);
  const rows = regionRows(content);
  const values = new Float64Array(rows * columns);
  const key = tensorKey(content.tensor, seed);
  const isRounded = dtype === "f16" && content.kind === "uniform";
  const numberOf = numbersOf(content, isRounded ? roundToHalf : Math.fround);
  for (let row = 0; row < rows; row++) {
    const start = rowStart(content, row);
    for (let column = 0; column < columns; column++) {
      values[row * columns + column] = numberOf(hash(start + column, key));
    }
  }
  return values;
}

function noPart(): never {
  throw new RangeError("a content needs at least one part");
}

export function regionColumns(region: Region): number {
  return region.size.at(-1) ?? 1;
}

export function regionRows(region: Region): number {
  return region.size.slice(0, -1).reduce((product, extent) => product * extent, 1);
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

/** The element that a random word becomes, as `encode` stores it. */
function numbersOf(
  content: RegionContent,
  encode: ((value: number) => number) | undefined,
): (random: number) => number {
  const encoded = (valueOf: (random: number) => number) =>
    encode === undefined ? valueOf : (random: number) => encode(valueOf(random));
  if (content.kind === "ids") {
    const { vocabulary } = content;
    return encoded((random) => Math.floor((random / 2 ** 32) * vocabulary));
  }
  const { center } = content;
  // One f32 product where the center is 0: a GPU makes the same.
  const scale = Math.fround(content.scale);
  // 24 bits, so that [-1, 1) is exact in f32.
  return encoded((random) => Math.fround(center + scale * ((random >>> 8) / 2 ** 23 - 1)));
}

/** Global index of the first element of a row of the region. */
function rowStart(region: Region, row: number): number {
  const [depth, rows, columns] = asThree(region.shape, 1);
  const [depth0, row0, column0] = asThree(region.offset, 0);
  const [depthSize, rowSize] = asThree(region.size, 1);
  if (depth0 + depthSize > depth) {
    throw new RangeError(`${region.tensor}: region exceeds its tensor`);
  }
  const at = (depth0 + Math.floor(row / rowSize)) * rows + row0 + (row % rowSize);
  return at * columns + column0;
}

/** Dimensions before the first are `missing`. */
export function asThree(values: readonly number[], missing: number): [number, number, number] {
  const [a = missing, b = missing, c = missing] = [
    ...Array.from({ length: 3 - values.length }, () => missing),
    ...values,
  ];
  return [a, b, c];
}

/** FNV-1a over the name, mixed with the seed. */
export function tensorKey(tensor: string, seed: number): number {
  let key = 0x811c9dc5;
  for (let i = 0; i < tensor.length; i++) key = Math.imul(key ^ tensor.charCodeAt(i), 0x01000193);
  return mix(key ^ mix(seed | 0));
}

function hash(index: number, key: number): number {
  return mix(mix((index | 0) ^ key) + key) >>> 0;
}

/** A bijection on 32 bits in which every input bit moves about half of the output bits. */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
