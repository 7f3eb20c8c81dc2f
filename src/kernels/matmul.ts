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
import type { StorageType } from "./storage.ts";

export interface MatmulShape extends Finish {
  /**
   * f16: sums may be f16 too, where that is what is stored and the adapter can. Default: f32. Programs do not ask
   * for it, since nothing in a plan does.
   */
  readonly arithmetic?: StorageType;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Products side by side, each with operands and a bias of its own. Default: 1. */
  readonly batch?: number;
  /** The operand that lies transposed: x as [k, m] or w as [n, k]. */
  readonly transposed?: "x" | "w";
}

function productOf({ m, n, k, batch, transposed, arithmetic, ...finish }: MatmulShape): Product {
  return {
    rows: "dense",
    parts: batch ?? 1,
    m,
    n,
    k,
    transposed: transposed ?? "none",
    finish,
    arithmetic: arithmetic ?? "f32",
  };
}

/** y[m, n] = finish(x[m, k] · w[k, n]). Row- and column-parallel layers give it their shard. */
export const matmul: Kernel<MatmulShape> = {
  name: "matmul",
  bindings: (shape) => productBindings(productOf(shape)),
  preludes: (shape) => productPreludes(productOf(shape)),
  prelude: () => arithmeticPrelude("f32"),
  constants: (shape) => registerTiling(productOf(shape)).constants,
  grid: (shape) => registerTiling(productOf(shape)).grid,
  flops: (shape) => productFlops(shape.m * (shape.batch ?? 1), productOf(shape)),
  bytes: (shape, dtype) => productBytes(shape.m * (shape.batch ?? 1), productOf(shape), dtype),
  alternatives: [matmulPanel, matmulSkinny, matmulMatrix, matmulShared, matmulSubgroup].map(
    alternativeFor(productOf),
  ),
};
