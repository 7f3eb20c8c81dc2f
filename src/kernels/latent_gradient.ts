import { type Kernel, read, write } from "./kernel.ts";
import type { LatentHeads } from "./rotary.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement } from "./storage.ts";

export interface LatentGradientShape extends LatentHeads {
  readonly rows: number;
  /** Of queries, and as many of keys and values. */
  readonly heads: number;
  /** Of a query or a key; a multiple of 4. */
  readonly headDim: number;
}

/** Elements of a row: of packed heads, and of what is made of them. */
export function latentColumns({ heads, headDim, plainDim, valueDim, rank }: LatentGradientShape) {
  return {
    packed: heads * (2 * headDim + valueDim),
    q: heads * headDim,
    kv: heads * (plainDim + valueDim),
    down: rank + headDim - plainDim,
  };
}

function written(shape: LatentGradientShape): number {
  const { q, kv, down } = latentColumns(shape);
  return shape.rows * (q + kv + down);
}

/**
 * From the gradient of all heads' queries, then keys, then values, [rows, packed], that of what latent attention made them
 * of, as `rotary` reads it: `dq`, `dkv`, which has of each head the part of a key that it has alone and its value, and `ddown`
 * with the sum over heads of what they share behind `rank` zeros.
 */
export const latentGradient: Kernel<LatentGradientShape> = {
  name: "latent_gradient",
  bindings: [read("dheads"), write("dq"), write("dkv"), write("ddown")],
  ...inRuns<LatentGradientShape>(
    (shape) => written(shape) / 4,
    ({ rows, heads, headDim, plainDim, valueDim, rank }) => ({
      ROWS: rows,
      HEADS: heads,
      HEAD_QUADS: headDim / 4,
      PLAIN_QUADS: plainDim / 4,
      VALUE_QUADS: valueDim / 4,
      RANK_QUADS: rank / 4,
    }),
  ),
  flops: ({ rows, heads, headDim, plainDim }) => rows * heads * (headDim - plainDim),
  bytes: (shape, dtype) =>
    (shape.rows * latentColumns(shape).packed + written(shape)) * bytesPerElement(dtype),
};
