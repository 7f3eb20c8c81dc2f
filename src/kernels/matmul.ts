import type { Kernel } from "./kernel.ts";
import { registerTiling } from "./matmul_register.ts";
import { matmulShared } from "./matmul_shared.ts";
import { matmulSkinny } from "./matmul_skinny.ts";
import { matmulSubgroup } from "./matmul_subgroup.ts";
import {
  type Finish,
  type Product,
  productBindings,
  productBytes,
  productFlops,
  productPreludes,
  variantFor,
} from "./product.ts";

export interface MatmulShape extends Finish {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Products side by side, each with operands and a bias of its own. Default: 1. */
  readonly batch?: number;
  /** The operand that lies transposed: x as [k, m] or w as [n, k]. */
  readonly transposed?: "x" | "w";
}

const productOf = ({ m, n, k, batch, transposed, ...finish }: MatmulShape): Product => ({
  rows: "dense",
  parts: batch ?? 1,
  m,
  n,
  k,
  transposed: transposed ?? "none",
  finish,
});

/** y[m, n] = finish(x[m, k] · w[k, n]). Row- and column-parallel layers give it their shard. */
export const matmul: Kernel<MatmulShape> = {
  name: "matmul",
  bindings: (shape) => productBindings(productOf(shape)),
  preludes: (shape) => productPreludes(productOf(shape)),
  constants: (shape) => registerTiling(productOf(shape)).constants,
  grid: (shape) => registerTiling(productOf(shape)).grid,
  flops: (shape) => productFlops(shape.m * (shape.batch ?? 1), productOf(shape)),
  bytes: (shape, dtype) => productBytes(shape.m * (shape.batch ?? 1), productOf(shape), dtype),
  variants: [matmulSkinny, matmulShared, matmulSubgroup].map(variantFor(productOf)),
};
