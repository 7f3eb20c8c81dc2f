import { isCpuAdapter } from "./cpu_adapter.ts";
import { fold, workgroupSize } from "./grid.ts";
import { type AdapterTraits, type Kernel, read, write } from "./kernel.ts";
import type { HeadNorm } from "./rotary.ts";
import { bytesPerElement } from "./storage.ts";

export interface NormedHeadsShape {
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** A multiple of 4. */
  readonly headDim: number;
  /** Of a row: queries, then keys, then what nothing normalizes; a multiple of 4. */
  readonly columns: number;
  readonly norm: HeadNorm;
}

export function hasHeadGains({ norm }: Pick<NormedHeadsShape, "norm">): boolean {
  return norm.kind !== "unweighted";
}

/** Whether each head has gains of its own. */
export function hasOwnHeadGains({ norm }: Pick<NormedHeadsShape, "norm">): boolean {
  return norm.kind === "all-heads" || norm.kind === "each-head";
}

/** Elements of the gains, those of queries first. */
export function headGainElements(shape: NormedHeadsShape): number {
  const { heads, kvHeads, headDim } = shape;
  return (hasOwnHeadGains(shape) ? heads + kvHeads : 2) * headDim;
}

/** As of `rotary`. */
function lanesOf(headDim: number, adapter: AdapterTraits | undefined): number {
  return isCpuAdapter(adapter) ? 1 : Math.min(16, 2 ** Math.floor(Math.log2(headDim / 4)));
}

/**
 * Of norms of queries and keys, which `rotary` makes: dx from the gradient dy of normalized heads, both as x lies, and
 * `statistics` f32 [rows, heads + kvHeads, 2]: of each head its mean, or 0, and what it was multiplied by. Where a norm is
 * over all heads, `squares` and `products` f32 [rows, 4] are the means over those of all ranks, see `mean_squares`.
 */
export const headNormGradient: Kernel<NormedHeadsShape> = {
  name: "head_norm_gradient",
  bindings: (shape) => [
    { ...read("x"), slot: 0 },
    { ...read("dy"), slot: 1 },
    ...(hasHeadGains(shape) ? [{ ...read("gains"), slot: 3 }] : []),
    ...(shape.norm.kind === "all-heads"
      ? [
          { ...read("squares", "f32"), slot: 4 },
          { ...read("products", "f32"), slot: 5 },
        ]
      : []),
    { ...write("dx"), slot: 2 },
    { ...write("statistics", "f32"), slot: 6 },
  ],
  preludes: (shape) => [
    "rotary/lanes",
    `rotary/${hasHeadGains(shape) ? "" : "no_"}gains`,
    `rotary/${shape.norm.kind === "all-heads" ? "" : "no_"}squares`,
    `head_norms/${shape.norm.kind === "all-heads" ? "" : "no_"}products`,
  ],
  constants: (shape, adapter) => {
    const { rows, heads, kvHeads, headDim, columns, norm } = shape;
    return {
      ROWS: rows,
      HEADS: heads,
      KV_HEADS: kvHeads,
      HEAD_DIM: headDim,
      COLUMNS: columns,
      EPSILON: norm.epsilon,
      CENTERED: norm.kind === "each-head" ? 1 : 0,
      GIVEN: norm.kind === "all-heads" ? 1 : 0,
      LANES: lanesOf(headDim, adapter),
      WORKGROUP: workgroupSize,
      ...(hasHeadGains(shape) ? { OWN_GAINS: hasOwnHeadGains(shape) ? 1 : 0 } : {}),
    };
  },
  grid: ({ rows, heads, kvHeads, headDim }, adapter) => {
    const invocations = rows * (heads + kvHeads) * lanesOf(headDim, adapter);
    return [...fold(Math.ceil(invocations / workgroupSize)), 1];
  },
  flops: ({ rows, heads, kvHeads, headDim, norm }) =>
    (norm.kind === "each-head" ? 11 : 8) * rows * (heads + kvHeads) * headDim,
  bytes: (shape, dtype) => {
    const { rows, heads, kvHeads, headDim, columns, norm } = shape;
    const gains = hasHeadGains(shape) ? headGainElements(shape) : 0;
    const normed = (heads + kvHeads) * headDim;
    const stored = rows * (normed + 2 * columns) + gains;
    const tables = norm.kind === "all-heads" ? 2 * 16 * rows : 0;
    return stored * bytesPerElement(dtype) + 8 * rows * (heads + kvHeads) + tables;
  },
};
