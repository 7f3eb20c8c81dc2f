// Values made of nothing but a seed: each element is a hash of seed, tensor name and its global index, so any shard can
// be made anywhere without making the whole.

import type { Region } from "./content.ts";
import {
  asThree,
  type ContentSource,
  inOrder,
  regionColumns,
  regionRows,
  rowPlace,
  type SourcedContent,
} from "./content_source.ts";

export function hashSource(seed: number): ContentSource {
  return {
    // A kernel counts rows as they lie.
    seedOf: ({ order }) => (order === undefined ? seed : undefined),
    values(content, first, rows) {
      const { order } = content;
      if (order === undefined) return hashes(content, seed, first, rows);
      return inOrder(content, order, [first, rows], (part) =>
        hashes({ ...content, ...part }, seed, 0, regionRows(part)),
      );
    },
  };
}

function hashes(content: SourcedContent, seed: number, first: number, rows: number): Float64Array {
  const columns = regionColumns(content);
  const values = new Float64Array(rows * columns);
  const key = tensorKey(content.tensor, seed);
  const ahead = content.kind === "ids" ? (content.ahead ?? 0) : 0;
  for (let row = 0; row < rows; row++) {
    const start = rowStart(content, first + row) + ahead;
    const own = values.subarray(row * columns, (row + 1) * columns);
    if (content.kind === "ids") fillIds(own, start, key, content.vocabulary);
    else fillUniform(own, start, key, content.center, Math.fround(content.scale));
  }
  return values;
}

function fillIds(target: Float64Array, start: number, key: number, vocabulary: number): void {
  for (let i = 0; i < target.length; i++) {
    target[i] = Math.floor((hash(start + i, key) / 2 ** 32) * vocabulary);
  }
}

/**
 * One f32 product where the center is 0: a GPU makes the same.
 *
 * @param scale an f32
 */
function fillUniform(
  target: Float64Array,
  start: number,
  key: number,
  center: number,
  scale: number,
): void {
  for (let i = 0; i < target.length; i++) {
    // 24 bits, so that [-1, 1) is exact in f32.
    const random = (hash(start + i, key) >>> 8) / 2 ** 23 - 1;
    target[i] = Math.fround(center + scale * random);
  }
}

/** Global index of the first element of a row of the region. */
function rowStart(region: Region, row: number): number {
  const [, rows, columns] = asThree(region.shape, 1);
  const [, , column0] = asThree(region.offset, 0);
  const [depth, inner] = rowPlace(region, row);
  return (depth * rows + inner) * columns + column0;
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
