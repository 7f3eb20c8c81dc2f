// Products by the matrices that subgroups multiply in one operation: for GPUs with units for that.

import type { AdapterTraits, SubgroupMatrix, Tiling } from "./kernel.ts";
import { productTiling, type ProductShader } from "./product.ts";
import { ceilDiv, type StorageType } from "./storage.ts";

/** Columns and rows of the block of y that a subgroup computes; all matrices divide it. */
const block = 32;

/** Those of `shaders/matrices`, the better first. Sums are f32 in all of them, as everywhere. */
const matrices: readonly SubgroupMatrix[] = [
  { component: "f16", result: "f32", m: 16, n: 16, k: 16 },
  { component: "f16", result: "f32", m: 16, n: 8, k: 16 },
  { component: "f16", result: "f32", m: 8, n: 16, k: 16 },
  { component: "f16", result: "f32", m: 8, n: 8, k: 8 },
  { component: "f32", result: "f32", m: 8, n: 8, k: 8 },
];

/** Such as `f16_16x8x16`. */
function nameOf({ component, m, n, k }: SubgroupMatrix): string {
  return `${component}_${m}x${n}x${k}`;
}

/** The best that the adapter lists and whose elements hold what is stored: f32 holds f16 as well. */
function matrixOf(
  { features, subgroupMatrices = [] }: AdapterTraits,
  dtype: StorageType,
): SubgroupMatrix | undefined {
  const offered = new Set(
    subgroupMatrices.filter(({ result }) => result === "f32").map((matrix) => nameOf(matrix)),
  );
  const half = dtype === "f16" && features.includes("shader-f16");
  return matrices.find(
    (matrix) => (matrix.component === "f32" || half) && offered.has(nameOf(matrix)),
  );
}

/** Blocks of a workgroup, and the elements of a step along k. */
interface Shape {
  readonly down: number;
  readonly across: number;
  readonly depth: number;
}

/** The larger a tile, the less is read twice, and the fewer tiles there are to keep a GPU busy. */
const shapes: readonly Shape[] = [
  { down: 2, across: 4, depth: 32 },
  { down: 2, across: 2, depth: 32 },
  { down: 2, across: 2, depth: 16 },
  { down: 1, across: 2, depth: 32 },
  { down: 1, across: 2, depth: 16 },
];

/** Drivers that vary the size of subgroups take 32 lanes where they can; what they take need not be known. */
function lanesOf({ down, across }: Shape, { subgroupSize }: AdapterTraits): number {
  const { min, max } = subgroupSize ?? { min: 32, max: 32 };
  const expected = Math.min(max, Math.max(min, 32));
  return ceilDiv(down * across * expected, max) * max;
}

/** As the shader's arrays have them: x, w, and a row of the matrices of every block. */
function sharedBytes({ down, across, depth }: Shape, { component, m }: SubgroupMatrix): number {
  return (
    (component === "f16" ? 2 : 4) * (down * block * (depth + 8) + depth * (across * block + 8)) +
    4 * down * across * m * block
  );
}

function fits(adapter: AdapterTraits, matrix: SubgroupMatrix) {
  return (shape: Shape): boolean => {
    const limit = (name: string, guaranteed: number): number => adapter.limits[name] ?? guaranteed;
    return (
      sharedBytes(shape, matrix) <= limit("maxComputeWorkgroupStorageSize", 16_384) &&
      lanesOf(shape, adapter) <= limit("maxComputeInvocationsPerWorkgroup", 256) &&
      lanesOf(shape, adapter) <= limit("maxComputeWorkgroupSizeX", 256)
    );
  };
}

/** Workgroups with something to do. */
const busyWorkgroups = 64;

export const matmulMatrix: ProductShader = {
  name: "matmul_matrix",
  // Of fewer rows or columns than half a block, most would be padding.
  runsOn: (adapter, dtype, { m, n, k }) => {
    const matrix = matrixOf(adapter, dtype);
    const worthwhile = m >= block / 2 && n >= block / 2 && k >= 8;
    return matrix !== undefined && worthwhile && shapes.some(fits(adapter, matrix));
  },
  // Drivers list matrices that they then refuse, so tuning, which tries first, decides.
  isPreferred: () => false,
  tilings: (product, adapter, dtype) => {
    const matrix = matrixOf(adapter, dtype);
    const possible = matrix === undefined ? [] : shapes.filter(fits(adapter, matrix));
    const smallest = possible.at(-1);
    if (matrix === undefined || smallest === undefined) {
      throw new Error("tilings are for adapters that runsOn accepts");
    }
    const tiling = (shape: Shape): Tiling => ({
      ...productTiling(product, {
        rows: block * shape.down,
        quads: (block / 4) * shape.across,
        constants: {
          BLOCK_ROWS: shape.down,
          BLOCK_COLUMNS: shape.across,
          DEPTH: shape.depth,
          LANES: lanesOf(shape, adapter),
        },
      }),
      prelude: `matrices/${nameOf(matrix)}`,
    });
    const workgroups = ({ down, across }: Shape): number =>
      (product.parts * product.m * product.n) / (down * across * block ** 2);
    const expected = possible.find((shape) => workgroups(shape) >= busyWorkgroups) ?? smallest;
    const others = possible.filter((shape) => shape !== expected);
    return [tiling(expected), ...others.map(tiling)];
  },
};
