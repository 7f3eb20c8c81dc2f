// Products whose operands a workgroup shares in its memory: for GPUs.

import type { AdapterTraits, Tiling } from "./kernel.ts";
import { isNarrow } from "./narrow.ts";
import { arithmeticOn, type Product, productTiling, type ProductVariant } from "./product.ts";
import { rowQuads } from "./storage.ts";

interface Shape {
  readonly edge: number;
  readonly blocks: number;
  readonly depth: number;
}

/** The larger a tile, the less is read twice, and the fewer tiles there are to keep a GPU busy. */
const shapes: readonly Shape[] = [
  { edge: 16, blocks: 2, depth: 4 },
  { edge: 16, blocks: 2, depth: 2 },
  { edge: 8, blocks: 2, depth: 2 },
  { edge: 8, blocks: 1, depth: 4 },
];

const smallest: Shape = { edge: 8, blocks: 1, depth: 2 };

const tileOf = ({ edge, blocks }: Shape): number => edge * blocks;

/** Both operands, twice: each 4 · depth times a tile of quads. */
const sharedBytes = (shape: Shape): number => 2 * 2 * 4 * shape.depth * tileOf(shape) * 16;

const limitOf = ({ limits }: AdapterTraits, name: string, guaranteed: number): number =>
  limits[name] ?? guaranteed;

const fits = (shape: Shape, adapter: AdapterTraits): boolean =>
  sharedBytes(shape) <= limitOf(adapter, "maxComputeWorkgroupStorageSize", 16_384) &&
  shape.edge ** 2 <= limitOf(adapter, "maxComputeInvocationsPerWorkgroup", 256);

/** Workgroups with something to do. */
const busyWorkgroups = 64;

const keepsBusy = (shape: Shape, { parts, m, n }: Product): boolean =>
  (parts * m * rowQuads(n)) / (4 * tileOf(shape) ** 2) >= busyWorkgroups;

export const matmulShared: ProductVariant = {
  name: "matmul_shared",
  // Right anywhere, but on a CPU it takes seconds to compile, and its barriers cost more than loads.
  runsOn: (adapter) => !isNarrow(adapter),
  suits: ({ m, n, k }) => m > 8 && n > 8 && k > 8,
  tilings: (product, adapter, dtype) => {
    const arithmetic = arithmeticOn(product, adapter, dtype);
    const tiling = (shape: Shape): Tiling =>
      productTiling(
        product,
        {
          rows: 4 * tileOf(shape),
          quads: tileOf(shape),
          constants: { EDGE: shape.edge, BLOCKS: shape.blocks, DEPTH: shape.depth },
        },
        arithmetic,
      );
    const possible = [...shapes.filter((shape) => fits(shape, adapter)), smallest];
    const expected = possible.find((shape) => keepsBusy(shape, product)) ?? smallest;
    const others = possible.filter((shape) => shape !== expected);
    return [tiling(expected), ...others.map(tiling)];
  },
};
