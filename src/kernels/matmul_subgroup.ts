// Products whose x is handed round within subgroups. The figures are from software adapters: subgroups of 4 on
// SwiftShader, of 8 on lavapipe.

import type { Tiling } from "./kernel.ts";
import { type Product, productTiling, type ProductVariant } from "./product.ts";
import { rowQuads } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

/** GPUs, whose subgroups are larger, have other forms. */
export const matmulSubgroup: ProductVariant = {
  name: "matmul_subgroup",
  // Shaders that broadcast from 4 or 8 lanes need as many.
  runsOn: (adapter) => subgroupSizeOf(adapter) >= 4,
  suits: ({ m, n }, adapter) => {
    const size = subgroupSizeOf(adapter);
    return size === 8 || (size === 4 && m > 4 && rowQuads(n) >= 4);
  },
  tilings: (product, adapter) => {
    const size = subgroupSizeOf(adapter);
    const tiling = (tileRows: number, lanes: number): Tiling =>
      productTiling(product, {
        rows: tileRows,
        quads: lanes,
        constants: { LOAD_ROWS: size >= 8 ? 8 : 4, TILE_ROWS: tileRows, LANES: lanes },
      });
    const [first, ...others] = tileRowsOf(product);
    const rest = others.map((rows) => tiling(rows, size));
    return [tiling(first, size), ...rest, tiling(first, 4 * size)];
  },
};

// Below this many FLOPs a large tile takes longer to compile than it saves in a hundred runs.
const largeFlops = 2 ** 25;

const tileRowsOf = ({ parts, m, n, k }: Product): readonly [number, ...number[]] => {
  if (m <= 4) return [4];
  if (m <= 8) return [8];
  return 2 * parts * m * n * k >= largeFlops ? [16, 8] : [8, 16];
};
