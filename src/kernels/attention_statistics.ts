import {
  attendedPairs,
  attentionConstants,
  type AttentionShape,
  qkvColumns,
  sinksPrelude,
  valueDimOf,
} from "./attention_shape.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

/** Queries of a workgroup. */
const tile = 32;

/**
 * Of each query and head what the backward pass of attention needs besides its operands: `statistics` f32
 * [batch · sequence, heads, 2], the logarithm to base 2 of the sum of e^score, and dy · y.
 */
export const attentionStatistics: Kernel<AttentionShape> = {
  name: "attention_statistics",
  bindings: ({ sinks }) => [
    { ...read("qkv"), slot: 0 },
    ...(sinks === undefined ? [] : [{ ...read("sinks", "f32"), slot: 3 }]),
    { ...read("y"), slot: 1 },
    { ...read("dy"), slot: 4 },
    { ...write("statistics", "f32"), slot: 5 },
  ],
  preludes: (shape) => [
    "attention/keys_alone",
    sinksPrelude(shape),
    "attention/keys_seen",
    "attention/scores",
    "attention/whole_sequences",
    "attention/gradient_tiles",
  ],
  constants: (shape) => {
    const { values: _, ...ofScores } = shape;
    return {
      ...attentionConstants(ofScores),
      VALUE_DIM: valueDimOf(shape),
      QKV_QUADS: qkvColumns(shape) / 4,
      LANES: tile,
    };
  },
  grid: ({ batch, sequence, heads }) => [ceilDiv(sequence, tile), heads, batch],
  flops: (shape) => {
    const { batch, sequence, heads, headDim } = shape;
    const products = attendedPairs(shape) * headDim + sequence * valueDimOf(shape);
    return 2 * batch * heads * products;
  },
  bytes: (shape, dtype) => {
    const { batch, sequence, heads, kvHeads, headDim, sinks } = shape;
    const columns = (heads + kvHeads) * headDim + 2 * heads * valueDimOf(shape);
    const tables = batch * sequence * heads * 8 + (sinks === undefined ? 0 : 4 * heads);
    return batch * sequence * columns * bytesPerElement(dtype) + tables;
  },
};
