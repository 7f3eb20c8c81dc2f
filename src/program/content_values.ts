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

/** The bytes of a content as they lie in a buffer: rows padded to quads, except token ids. */
export const fillContent = (
  content: Content,
  seed: number,
  dtype: DType,
): Uint8Array<ArrayBuffer> => {
  const parts = content.kind === "beside" ? content.parts : [content];
  const pitch = parts.reduce((sum, part) => sum + pitchOf(part), 0);
  const rows = rowsOf(parts[0] ?? noPart());
  const bytes = new Uint8Array(ceilDiv(rows * pitch * bytesPerElement(dtype), 4) * 4);
  const target = elementsIn(bytes, dtype);
  const encode = dtype === "f16" ? toHalf : (value: number): number => value;
  let column0 = 0;
  for (const part of parts) {
    const first = column0;
    visit(part, seed, (row, column, value) => {
      target[row * pitch + first + column] = encode(value);
    });
    column0 += pitchOf(part);
  }
  return bytes;
};

/** The region's values as storage of that type holds them, unpadded, for the reference. */
export const contentValues = (
  content: RegionContent,
  seed: number,
  dtype: StorageType,
): Float64Array => {
  const columns = columnsOf(content);
  const values = new Float64Array(rowsOf(content) * columns);
  const store = dtype === "f16" && content.kind === "uniform" ? roundToHalf : Math.fround;
  visit(content, seed, (row, column, value) => {
    values[row * columns + column] = store(value);
  });
  return values;
};

const noPart = (): never => {
  throw new RangeError("a content needs at least one part");
};

const columnsOf = (region: Region): number => region.size.at(-1) ?? 1;

const rowsOf = (region: Region): number =>
  region.size.slice(0, -1).reduce((product, extent) => product * extent, 1);

const pitchOf = (content: RegionContent): number =>
  content.kind === "ids" ? columnsOf(content) : rowPitch(columnsOf(content));

const elementsIn = (bytes: Uint8Array<ArrayBuffer>, dtype: DType) => {
  if (dtype === "f16") return new Uint16Array(bytes.buffer);
  return dtype === "u32" ? new Uint32Array(bytes.buffer) : new Float32Array(bytes.buffer);
};

export const roundToHalf = (value: number): number => fromHalf(toHalf(value));

const visit = (
  content: RegionContent,
  seed: number,
  put: (row: number, column: number, value: number) => void,
): void => {
  const key = tensorKey(content.tensor, seed);
  const columns = columnsOf(content);
  let row = 0;
  for (const start of rowStarts(content)) {
    for (let column = 0; column < columns; column++) {
      const random = hash(start + column, key);
      put(row, column, valueOf(content, random));
    }
    row++;
  }
};

const valueOf = (content: RegionContent, random: number): number => {
  if (content.kind === "ids") return Math.floor((random / 2 ** 32) * content.vocabulary);
  // 24 bits, so that [-1, 1) is exact in f32.
  const unit = (random >>> 8) / 2 ** 23 - 1;
  return Math.fround(content.center + content.scale * unit);
};

/** Global index of the first element of each row of the region. */
function* rowStarts(region: Region): Generator<number> {
  const [depth, rows, columns] = asThree(region.shape, 1);
  const [depth0, row0, column0] = asThree(region.offset, 0);
  const [depthSize, rowSize] = asThree(region.size, 1);
  if (depth0 + depthSize > depth)
    throw new RangeError(`${region.tensor}: region exceeds its tensor`);
  for (let d = depth0; d < depth0 + depthSize; d++) {
    for (let r = row0; r < row0 + rowSize; r++) yield (d * rows + r) * columns + column0;
  }
}

const asThree = (values: readonly number[], missing: number): [number, number, number] => {
  const [a = missing, b = missing, c = missing] = [
    ...Array.from({ length: 3 - values.length }, () => missing),
    ...values,
  ];
  return [a, b, c];
};

/** FNV-1a over the name, mixed with the seed. */
const tensorKey = (tensor: string, seed: number): number => {
  let key = 0x811c9dc5;
  for (let i = 0; i < tensor.length; i++) key = Math.imul(key ^ tensor.charCodeAt(i), 0x01000193);
  return mix(key ^ mix(seed | 0));
};

const hash = (index: number, key: number): number => mix(mix((index | 0) ^ key) + key) >>> 0;

/** A bijection on 32 bits in which every input bit moves about half of the output bits. */
const mix = (word: number): number => {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
};
