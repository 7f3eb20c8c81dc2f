// Where the values behind a Content come from. Ranks, checks and the reference read the same source, each for its own
// part of a tensor.

import type { Region, RegionContent, RotationContent } from "./content.ts";
import { type RowOrder, tokenRuns } from "./row_order.ts";

/** All but what follows from the plan alone. */
export type SourcedContent = Exclude<RegionContent, RotationContent>;

export interface ContentSource {
  /**
   * Rows [first, first + rows) of a region, row-major and without padding: numbers that f32 can hold, not yet rounded
   * to a narrower type; token ids of ids.
   */
  readonly values: (content: SourcedContent, first: number, rows: number) => Float64Array;
  /** What the region's values are a hash of, so that a kernel can make them in place. Absent: they are no hash. */
  readonly seedOf: (content: SourcedContent) => number | undefined;
}

export function regionColumns(region: Region): number {
  return region.size.at(-1) ?? 1;
}

export function regionRows(region: Pick<Region, "size">): number {
  return region.size.slice(0, -1).reduce((product, extent) => product * extent, 1);
}

/**
 * Rows of a region, or ids, whose tensor has them in an order of its own.
 *
 * @param read of a part whose tokens follow each other, as its offset and size say
 */
export function inOrder(
  content: SourcedContent,
  order: RowOrder,
  [first, rows]: readonly [first: number, rows: number],
  read: (part: Pick<Region, "offset" | "size">) => ArrayLike<number>,
): Float64Array {
  const [start = 0, ...offset] = content.offset;
  const [length = 0, ...size] = content.size;
  const isIds = content.kind === "ids";
  const columns = isIds ? 1 : regionColumns(content);
  const count = isIds ? length : rows;
  const values = new Float64Array(count * columns);
  for (const { at, token, count: own } of tokenRuns(order, start + first, count)) {
    values.set(read({ offset: [token, ...offset], size: [own, ...size] }), at * columns);
  }
  return values;
}

/** Dimensions before the first are `missing`. */
export function asThree(values: readonly number[], missing: number): [number, number, number] {
  const [a = missing, b = missing, c = missing] = [
    ...Array.from({ length: 3 - values.length }, () => missing),
    ...values,
  ];
  return [a, b, c];
}

/** Of a row of the region, where its tensor has it: index on the first of three axes, and on the second. */
export function rowPlace(region: Region, row: number): readonly [depth: number, row: number] {
  const [depth] = asThree(region.shape, 1);
  const [depth0, row0] = asThree(region.offset, 0);
  const [depthSize, rowSize] = asThree(region.size, 1);
  if (depth0 + depthSize > depth) {
    throw new RangeError(`${region.tensor}: region exceeds its tensor`);
  }
  return [depth0 + Math.floor(row / rowSize), row0 + (row % rowSize)];
}
