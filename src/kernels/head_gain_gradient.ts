import { accumulatedBytes, type Accumulating, inColumns } from "./columns.ts";
import { headGainElements, hasOwnHeadGains, type NormedHeadsShape } from "./head_norm_gradient.ts";
import { accumulate, type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement } from "./storage.ts";

export interface HeadGainGradientShape extends NormedHeadsShape, Accumulating {}

const tiling = inColumns<HeadGainGradientShape & { readonly columns: number }>(() => ({}));

/** The sums are as wide as the gains; a row of x has other columns. */
function tiled(shape: HeadGainGradientShape): HeadGainGradientShape {
  return { ...shape, columns: headGainElements(shape) };
}

/**
 * Of norms of queries and keys `dgains` f32, as long as the gains: one head's for all queries and one for all keys, or of each
 * head its own; with the `statistics` of `head_norm_gradient`.
 */
export const headGainGradient: Kernel<HeadGainGradientShape> = {
  name: "head_gain_gradient",
  bindings: (shape) => [
    read("x"),
    read("dy"),
    read("statistics", "f32"),
    shape.accumulate === true ? accumulate("dgains") : write("dgains", "f32"),
  ],
  preludes: () => ["columns/sums"],
  constants: (shape, adapter) => ({
    ...tiling.constants(tiled(shape), adapter),
    HEADS: shape.heads,
    KV_HEADS: shape.kvHeads,
    HEAD_DIM: shape.headDim,
    ROW_COLUMNS: shape.columns,
    OWN_GAINS: hasOwnHeadGains(shape) ? 1 : 0,
  }),
  grid: (shape, adapter) => tiling.grid(tiled(shape), adapter),
  flops: ({ rows, heads, kvHeads, headDim }) => 4 * rows * (heads + kvHeads) * headDim,
  bytes: (shape, dtype) => {
    const { rows, heads, kvHeads, headDim } = shape;
    const elements = rows * (heads + kvHeads) * headDim;
    return (
      2 * elements * bytesPerElement(dtype) +
      8 * rows * (heads + kvHeads) +
      accumulatedBytes(shape, headGainElements(shape))
    );
  },
};
