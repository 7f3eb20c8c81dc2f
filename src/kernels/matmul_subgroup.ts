// Products whose x is handed round within subgroups. The figures are from software adapters: subgroups of 4 on
// SwiftShader, of 8 on lavapipe.

import type { AdapterTraits, Tiling } from "./kernel.ts";
import { arithmeticOn, type Product, productTiling, type ProductShader } from "./product.ts";
import { rowQuads, type StorageType } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

/** GPUs, whose subgroups are larger, have other variants. */
export const matmulSubgroup: ProductShader = {
  name: "matmul_subgroup",
  // Shaders that broadcast from 4 or 8 lanes need as many.
  runsOn: (adapter) => subgroupSizeOf(adapter) >= 4,
  isPreferred: ({ n }, adapter) => {
    const size = subgroupSizeOf(adapter);
    return size === 8 || (size === 4 && rowQuads(n) >= 4);
  },
  tilings: (product, adapter, dtype) => {
    const arithmetic = arithmeticOn(product, adapter, dtype);
    const size = subgroupSizeOf(adapter);
    const tiling = (tileRows: number, lanes: number): Tiling =>
      productTiling(
        product,
        {
          rows: tileRows,
          quads: lanes,
          constants: { LOAD_ROWS: size >= 8 ? 8 : 4, TILE_ROWS: tileRows, LANES: lanes },
        },
        arithmetic,
      );
    const [first, ...others] = tileRowsOf(product, size, isUnpacked(adapter, dtype));
    // A narrow strip of w stays in the caches for the next rows; where there are few, a wide one is read faster, but
    // for a single row.
    const isWide = product.m > 1 && product.m <= 2 * first;
    const [expected, other] = isWide ? [4 * size, size] : [size, 4 * size];
    const rest = others.map((rows) => tiling(rows, expected));
    return [tiling(first, expected), ...rest, tiling(first, other)];
  },
};

// Below so many FLOPs a large tile takes longer to compile than it saves in a hundred runs.
const largeFlops = 2 ** 25;
const hugeFlops = 2 ** 29;
/** Tiles of 32 reached two thirds of what those of 16 did at 32 and 256 rows, as much at 64, more from 512 on. */
const manyRows = 512;

/** Whether halves are unpacked by a dozen operations each, for want of f16 in shaders. */
function isUnpacked({ features }: AdapterTraits, dtype: StorageType): boolean {
  return dtype === "f16" && !features.includes("shader-f16");
}

function tileRowsOf(
  { parts, m, n, k }: Product,
  size: number,
  unpacks: boolean,
): readonly [number, ...number[]] {
  const flops = 2 * parts * m * n * k;
  if (m <= 4) return [4];
  if (m <= 8) return [8];
  // With that code for 16 rows, 8 rows are as fast or up to 1.7 times as fast.
  if (flops < largeFlops || (size < 8 && unpacks)) return [8, 16];
  // With lanes of 4, code for 32 rows outgrows the caches of instructions.
  if (size < 8 || m <= 16) return [16, 8];
  return flops >= hugeFlops && m >= manyRows ? [32, 16, 8] : [16, 8, 32];
}
