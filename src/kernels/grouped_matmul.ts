import type { Kernel } from "./kernel.ts";
import { matmulMatrix } from "./matmul_matrix.ts";
import { matmulPanel } from "./matmul_panel.ts";
import { registerTiling } from "./matmul_register.ts";
import { matmulShared } from "./matmul_shared.ts";
import { matmulSkinny } from "./matmul_skinny.ts";
import { matmulSubgroup } from "./matmul_subgroup.ts";
import {
  arithmeticPrelude,
  type Finish,
  type Product,
  productBindings,
  productBytes,
  productFlops,
  productPreludes,
  alternativeFor,
} from "./product.ts";
import { ceilDiv, type StorageType } from "./storage.ts";

export interface GroupedMatmulShape extends Finish {
  /** As in `MatmulShape`. */
  readonly arithmetic?: StorageType;
  /** Experts on this rank. */
  readonly experts: number;
  /** Rows that the buffers can hold; how many are in use is `offsets[experts]`, known only when it runs. */
  readonly rows: number;
  /** Rows expected in use when tokens are balanced; FLOPs and bytes count these. */
  readonly expectedRows: number;
  readonly n: number;
  readonly k: number;
  /** Each expert's w lies as [n, k]. */
  readonly transposed?: "w";
}

function productOf({
  experts,
  rows: _rows,
  expectedRows,
  n,
  k,
  transposed,
  arithmetic,
  ...finish
}: GroupedMatmulShape): Product {
  return {
    rows: "grouped",
    parts: experts,
    m: ceilDiv(expectedRows, experts),
    n,
    k,
    transposed: transposed ?? "none",
    finish,
    arithmetic: arithmetic ?? "f32",
  };
}

/** y[row] = finish(x[row] · w[expert of row]); rows are grouped by expert, `offsets[e]` is the first of expert e. */
export const groupedMatmul: Kernel<GroupedMatmulShape> = {
  name: "grouped_matmul",
  shader: "matmul",
  bindings: (shape) => productBindings(productOf(shape)),
  preludes: (shape) => productPreludes(productOf(shape)),
  prelude: () => arithmeticPrelude("f32"),
  constants: (shape) => registerTiling(productOf(shape)).constants,
  grid: (shape) => registerTiling(productOf(shape)).grid,
  flops: (shape) => productFlops(shape.expectedRows, productOf(shape)),
  bytes: (shape, dtype) => productBytes(shape.expectedRows, productOf(shape), dtype),
  alternatives: [matmulPanel, matmulSkinny, matmulMatrix, matmulShared, matmulSubgroup].map(
    alternativeFor(productOf),
  ),
};
