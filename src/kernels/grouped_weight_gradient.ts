import type { Kernel } from "./kernel.ts";
import { matmulMatrix } from "./matmul_matrix.ts";
import { registerTiling } from "./matmul_register.ts";
import { matmulShared } from "./matmul_shared.ts";
import { matmulSkinny } from "./matmul_skinny.ts";
import { matmulSubgroup } from "./matmul_subgroup.ts";
import {
  alternativeFor,
  arithmeticPrelude,
  type Product,
  productBindings,
  productPreludes,
} from "./product.ts";
import { bytesPerElement, ceilDiv, paddedElements } from "./storage.ts";

export interface GroupedWeightGradientShape {
  /** As in `GroupedMatmulShape`, as are the next two. */
  readonly experts: number;
  readonly rows: number;
  readonly expectedRows: number;
  /** Rows of an expert's weights: columns of x. */
  readonly m: number;
  /** Their columns, and those of the gradient. */
  readonly n: number;
}

function productOf({ experts, expectedRows, m, n }: GroupedWeightGradientShape): Product {
  return {
    rows: "grouped-depth",
    parts: experts,
    m,
    n,
    k: ceilDiv(expectedRows, experts),
    transposed: "x",
    finish: { activation: "none", result: "f32-sum" },
    arithmetic: "f32",
  };
}

/**
 * Of `grouped_matmul`, each expert's y[m, n] += Σ xᵀ · w over its rows of x [rows, m] and of w [rows, n], the gradient of
 * what they gave; y is f32 [experts · m, n]. An expert without rows keeps its own.
 */
export const groupedWeightGradient: Kernel<GroupedWeightGradientShape> = {
  name: "grouped_weight_gradient",
  shader: "matmul",
  bindings: (shape) => productBindings(productOf(shape)),
  preludes: (shape) => productPreludes(productOf(shape)),
  prelude: () => arithmeticPrelude("f32"),
  constants: (shape) => registerTiling(productOf(shape)).constants,
  grid: (shape) => registerTiling(productOf(shape)).grid,
  flops: ({ experts, expectedRows, m, n }) => 2 * expectedRows * m * n + experts * m * n,
  bytes: ({ experts, expectedRows, m, n }, dtype) =>
    (paddedElements(expectedRows, m) + paddedElements(expectedRows, n)) * bytesPerElement(dtype) +
    8 * paddedElements(experts * m, n),
  alternatives: [matmulSkinny, matmulMatrix, matmulShared, matmulSubgroup].map(
    alternativeFor(productOf),
  ),
};
