import { gradientBySubgroups } from "./attention_gradient_subgroup.ts";
import {
  type AttentionBlockShape,
  blockConstants,
  blockPreludes,
  keyValueColumns,
  pairsOfBlock,
} from "./block_shape.ts";
import { accumulate, type Binding, type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

export interface AttentionBlockGradientShape extends AttentionBlockShape {
  /** Whether gradients of queries, and of keys and values, are added to what is there. */
  readonly addsQueries?: true;
  readonly addsKeys?: true;
}

/** Queries of a workgroup, or keys. */
const tile = 32;

/**
 * Gradients of queries, `dq` f32 [batch · rows, heads · headDim], and of a block of keys and values, `dkv` f32 as `kv`
 * lies, from `dy` [batch · rows, heads · valueDim], with the statistics of `attention_block_statistics`.
 */
export const attentionBlockGradient: Kernel<AttentionBlockGradientShape> = {
  name: "attention_block_gradient",
  shader: "attention_gradient",
  bindings: ({ addsQueries, addsKeys }) => [
    { ...read("qkv"), slot: 0 },
    { ...read("kv"), slot: 2 },
    { ...read("dy"), slot: 4 },
    { ...read("statistics", "f32"), slot: 5 },
    { ...sum("dq", addsQueries), slot: 6 },
    { ...sum("dkv", addsKeys), slot: 7 },
  ],
  preludes: () => [...blockPreludes, "attention/gradients_of_block"],
  constants: (shape) => ({
    ...gradientConstants(shape),
    LANES: (tile / 4) * ceilDiv(Math.max(shape.headDim, shape.valueDim), 8),
  }),
  grid: ({ batch, rows, heads }) => [2 * ceilDiv(rows, tile), heads, batch],
  flops: (shape) => {
    const { batch, heads, headDim, valueDim } = shape;
    return 2 * batch * heads * pairsOfBlock(shape) * (3 * headDim + 2 * valueDim);
  },
  bytes: (shape, dtype) => {
    const { batch, rows, heads, headDim, valueDim, addsQueries, addsKeys } = shape;
    const keyValues = keyValueColumns(shape);
    const stored = heads * (headDim + valueDim) + keyValues;
    const sums =
      (addsQueries === true ? 2 : 1) * heads * headDim + (addsKeys === true ? 2 : 1) * keyValues;
    return batch * rows * (stored * bytesPerElement(dtype) + 4 * sums + 8 * heads);
  },
  alternatives: [
    gradientBySubgroups<AttentionBlockGradientShape>((shape) => shape, gradientConstants),
  ],
};

function gradientConstants(shape: AttentionBlockGradientShape): Record<string, number> {
  return {
    ...blockConstants(shape),
    ADDS_QUERIES: shape.addsQueries === true ? 1 : 0,
    ADDS_KEYS: shape.addsKeys === true ? 1 : 0,
  };
}

function sum(name: string, isAdded: true | undefined): Binding {
  return isAdded === true ? accumulate(name) : write(name, "f32");
}
