// How the subgroup-broadcast matmuls split their result. The figures are from software adapters: subgroups of
// 4 on SwiftShader, of 8 on lavapipe.

import type { AdapterTraits } from "./kernel.ts";
import { ceilDiv, rowQuads } from "./storage.ts";

export interface SubgroupTile {
  /** Rows that a subgroup loads at once, one to a lane. */
  readonly loadRows: 4 | 8;
  readonly tileRows: 4 | 8 | 16;
  /** Column quads that one invocation computes. */
  readonly columns: 1 | 4;
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** Workgroups along the columns. */
  readonly columnGroups: number;
  /** Workgroups along the rows. */
  readonly rowGroups: number;
}

// Below this many FLOPs a large tile takes longer to compile than it saves in a hundred runs.
const largeFlops = 2 ** 25;

/** 0 where subgroups are missing or differ in size: a tile is laid out for one size. */
export const subgroupSizeOf = ({ subgroupSize }: AdapterTraits): number =>
  subgroupSize !== undefined && subgroupSize.min === subgroupSize.max ? subgroupSize.min : 0;

/** Shaders that broadcast from 4 or 8 lanes need as many. */
export const hasSubgroupTile = (adapter: AdapterTraits): boolean => subgroupSizeOf(adapter) >= 4;

/**
 * GPUs, whose subgroups are larger, keep the register form. So does SwiftShader for few rows or columns;
 * lavapipe is faster this way at any size, and compiles in half the time.
 */
export function suitsSubgroupTile(rows: number, columns: number, adapter: AdapterTraits): boolean {
  const size = subgroupSizeOf(adapter);
  return size === 8 || (size === 4 && rows > 4 && rowQuads(columns) >= 4);
}

export function subgroupTile(
  rows: number,
  columns: number,
  flops: number,
  adapter: AdapterTraits,
): SubgroupTile {
  const size = subgroupSizeOf(adapter);
  const tile = tileOf(size, rows, rowQuads(columns), flops >= largeFlops);
  return {
    ...tile,
    columnGroups: ceilDiv(rowQuads(columns), tile.columns * tile.lanes),
    rowGroups: ceilDiv(rows, tile.tileRows),
  };
}

function tileOf(
  size: number,
  rows: number,
  quads: number,
  large: boolean,
): Omit<SubgroupTile, "columnGroups" | "rowGroups"> {
  const smallRows = rows <= 4 ? 4 : 8;
  const tileRows = large && rows > 8 ? 16 : smallRows;
  if (size >= 8) return { loadRows: 8, tileRows, columns: 1, lanes: size };
  // A broadcast costs two multiply-adds here, so it has to serve several columns.
  if (tileRows === 16 && quads >= 16) {
    return { loadRows: 4, tileRows, columns: 4, lanes: quads % 64 === 0 ? 16 : 4 };
  }
  return { loadRows: 4, tileRows: smallRows, columns: 1, lanes: size };
}
