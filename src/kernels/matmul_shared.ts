// Products whose operands a workgroup shares in its memory: for GPUs.

import type { AdapterTraits, Tiling } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { arithmeticOn, type Product, productTiling, type ProductShader } from "./product.ts";
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

function tileOf({ edge, blocks }: Shape): number {
  return edge * blocks;
}

/** Both operands, twice: each 4 · depth times a tile of quads. */
function sharedBytes(shape: Shape): number {
  return 2 * 2 * 4 * shape.depth * tileOf(shape) * 16;
}

function limitOf({ limits }: AdapterTraits, name: string, guaranteed: number): number {
  return limits[name] ?? guaranteed;
}

function fits(shape: Shape, adapter: AdapterTraits): boolean {
  return (
    sharedBytes(shape) <= limitOf(adapter, "maxComputeWorkgroupStorageSize", 16_384) &&
    shape.edge ** 2 <= limitOf(adapter, "maxComputeInvocationsPerWorkgroup", 256)
  );
}

/** Workgroups with something to do. */
const busyWorkgroups = 64;

function keepsBusy(shape: Shape, { parts, m, n }: Product): boolean {
  return (parts * m * rowQuads(n)) / (4 * tileOf(shape) ** 2) >= busyWorkgroups;
}

export const matmulShared: ProductShader = {
  name: "matmul_shared",
  // Right anywhere, but on a CPU it takes seconds to compile, and its barriers cost more than loads.
  runsOn: (adapter) => !isCpuAdapter(adapter),
  isPreferred: ({ m, n, k }) => m > 8 && n > 8 && k > 8,
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
