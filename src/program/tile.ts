// Parts of a weight or a cache that each lie in a buffer of their own, where all of it is more than a GPU binds.

import { ceilDiv } from "../kernels/storage.ts";
import { windowAlignment } from "./window.ts";

/** Bytes of one binding that every WebGPU adapter takes: the least `maxStorageBufferBindingSize`. */
export const commonBinding = 128 * 2 ** 20;

/** One of `count` parts, which each rank splits what it holds into: of a table's rows, a product's columns, or heads. */
export interface Tile {
  readonly index: number;
  readonly count: number;
}

/** Rows or columns [first, first + size). */
export interface TileExtent {
  readonly first: number;
  readonly size: number;
}

/** Where tiles begin is a multiple of it: columns there can be bound, whatever the dtype. */
export const tileUnit = windowAlignment / 2;

/** Of a tile of the tensor of that name. */
export function tileName(name: string, { index, count }: Tile): string {
  return `${name} ${index + 1} of ${count}`;
}

/** As evenly as units allow, the larger ones first. @param extent of all tiles together, `count` units or more */
export function tileOf(extent: number, { index, count }: Tile): TileExtent {
  const units = ceilDiv(extent, tileUnit);
  const [base, larger] = [Math.floor(units / count), units % count];
  const first = (index * base + Math.min(index, larger)) * tileUnit;
  const size = (base + (index < larger ? 1 : 0)) * tileUnit;
  return { first, size: Math.min(size, extent - first) };
}

/** The fewest tiles of at most `limit` bytes each; undefined where one unit is more. @param unitBytes of one unit */
export function tilesOf(extent: number, unitBytes: number, limit: number): number | undefined {
  const perTile = Math.floor(limit / unitBytes);
  return perTile === 0 ? undefined : ceilDiv(ceilDiv(extent, tileUnit), perTile);
}
