// How the register-tiled matmuls split their result. An invocation owns a tile of rows × 2 quads; lanes are
// laid along the columns first, so that narrow results do not leave lanes idle.

import { workgroupSize } from "./grid.ts";
import { ceilDiv } from "./storage.ts";

/** Quads of a row that one invocation computes. */
const tileQuads = 2;

export interface MatmulTile {
  readonly columnLanes: number;
  readonly rowLanes: number;
  /** Workgroups along the columns. */
  readonly columnGroups: number;
  /** Workgroups along the rows. */
  readonly rowGroups: number;
}

export function matmulTile(rows: number, columns: number, tileRows: number): MatmulTile {
  const columnTiles = ceilDiv(ceilDiv(columns, 4), tileQuads);
  const rowTiles = ceilDiv(rows, tileRows);
  const columnLanes = Math.min(workgroupSize, nextPowerOfTwo(columnTiles));
  const rowLanes = Math.min(workgroupSize / columnLanes, nextPowerOfTwo(rowTiles));
  return {
    columnLanes,
    rowLanes,
    columnGroups: ceilDiv(columnTiles, columnLanes),
    rowGroups: ceilDiv(rowTiles, rowLanes),
  };
}

const nextPowerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));
