// A small product of each head by itself, as latent attention in its absorbed form has them: queries go through the
// up-projection of keys, results through that of values.

import { fold, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

/** All columns are multiples of 4. */
export interface HeadMatmulShape {
  readonly rows: number;
  readonly heads: number;
  /** Of a head's product. */
  readonly k: number;
  readonly n: number;
  /** Of x behind a head's k: copied behind its n results. */
  readonly kept: number;
  /** Of w: head h has those from `first + h · step` on, n of them; transposed k. */
  readonly w: { readonly columns: number; readonly first: number; readonly step: number };
  /** Each head's w lies as [n, k]. */
  readonly transposed?: "w";
}

/** Rows whose sums an invocation holds: they share what is loaded of w. */
const rowsAtOnce = 4;

/** y[row, head] = x[row, head] · w[head], then what is kept of x[row, head]. */
export const headMatmul: Kernel<HeadMatmulShape> = {
  name: "head_matmul",
  bindings: [read("x"), read("w"), write("y")],
  preludes: ({ transposed }) => [`head_weights/${transposed === "w" ? "transposed" : "plain"}`],
  constants: ({ rows, heads, k, n, kept, w }) => ({
    ROWS: rows,
    HEADS: heads,
    K_QUADS: k / 4,
    N_QUADS: n / 4,
    KEPT_QUADS: kept / 4,
    W_PITCH: w.columns / 4,
    W_FIRST: w.first / 4,
    W_STEP: w.step / 4,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ rows, heads, n, kept }) => {
    const invocations = ceilDiv(rows, rowsAtOnce) * heads * ((n + kept) / 4);
    return [...fold(ceilDiv(invocations, workgroupSize)), 1];
  },
  flops: ({ rows, heads, k, n }) => 2 * rows * heads * k * n,
  bytes: ({ rows, heads, k, n, kept }, dtype) =>
    heads * (rows * (k + n + 2 * kept) + k * n) * bytesPerElement(dtype),
};
