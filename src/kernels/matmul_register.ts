// How the products that keep everything in registers split their result. An invocation owns a tile of rows × 2
// quads; lanes are laid along the columns first, so that narrow results do not leave lanes idle.

import { workgroupSize } from "./grid.ts";
import type { Tiling } from "./kernel.ts";
import { nextPowerOfTwo, type Product, productTiling } from "./product.ts";
import { ceilDiv, rowQuads } from "./storage.ts";

/** Quads of a row that one invocation computes. */
const tileQuads = 2;

export function registerTiling(product: Product): Tiling {
  const tileRows = product.m <= 4 ? 4 : 8;
  const columnTiles = ceilDiv(rowQuads(product.n), tileQuads);
  const rowTiles = ceilDiv(product.m, tileRows);
  const columnLanes = Math.min(workgroupSize, nextPowerOfTwo(columnTiles));
  const rowLanes = Math.min(workgroupSize / columnLanes, nextPowerOfTwo(rowTiles));
  return productTiling(product, {
    rows: tileRows * rowLanes,
    quads: tileQuads * columnLanes,
    constants: { TILE_ROWS: tileRows, COLUMN_LANES: columnLanes, ROW_LANES: rowLanes },
  });
}
