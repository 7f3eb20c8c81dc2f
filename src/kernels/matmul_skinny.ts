// Products of so few rows that reading w is all that takes time.

import { workgroupSize } from "./grid.ts";
import type { Tiling } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import {
  arithmeticOn,
  nextPowerOfTwo,
  type Product,
  productTiling,
  type ProductShader,
} from "./product.ts";
import { ceilDiv, rowQuads } from "./storage.ts";

export const matmulSkinny: ProductShader = {
  name: "matmul_skinny",
  // Subgroups of CPUs hand x round, and a single row is for panels.
  runsOn: (adapter, _dtype, { m }) => m <= 8 && !isCpuAdapter(adapter),
  isPreferred: ({ m }) => m <= 4,
  tilings: (product, adapter, dtype) => {
    const arithmetic = arithmeticOn(product, adapter, dtype);
    const { m, n, k } = product;
    const tileRows = m === 1 ? 1 : m <= 4 ? 4 : 8;
    const lanes = Math.min(workgroupSize / 4, nextPowerOfTwo(rowQuads(n)));
    const most = Math.min(workgroupSize / lanes, nextPowerOfTwo(rowQuads(k)));
    const tiling = (splits: number): Tiling =>
      productTiling(
        product,
        {
          rows: tileRows,
          quads: lanes,
          constants: { TILE_ROWS: tileRows, COLUMN_LANES: lanes, SPLITS: splits },
        },
        arithmetic,
      );
    const expected = Math.min(most, splitsFor(product));
    const others = [1, 4, 16].filter((splits) => splits !== expected && splits <= most);
    return [tiling(expected), ...others.map(tiling)];
  },
};

/** Invocations that keep a GPU busy. */
const busyInvocations = 65_536;

function splitsFor({ parts, n }: Product): number {
  return nextPowerOfTwo(ceilDiv(busyInvocations, parts * rowQuads(n)));
}
