import {
  attendedPairs,
  attentionConstants,
  type AttentionShape,
  valueDimOf,
} from "./attention_shape.ts";
import { attentionGradientSubgroup } from "./attention_gradient_subgroup.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

/** Queries of a workgroup, or keys. */
const tile = 32;

/** A lane holds 4 rows × 2 quads. */
function lanes(shape: AttentionShape): number {
  return (tile / 4) * ceilDiv(Math.max(shape.headDim, valueDimOf(shape)), 8);
}

/**
 * Gradients of queries, keys and values from `dy` [batch · sequence, heads · value columns], with the `statistics` of
 * `attention_statistics`: `dqkv` as qkv lies; where values lie apart, it has queries and keys alone, and theirs is `dv`
 * [batch · sequence, kvHeads · value columns], of all heads side by side wherever v has them.
 */
export const attentionGradient: Kernel<AttentionShape> = {
  name: "attention_gradient",
  bindings: ({ values }) => [
    { ...read("qkv"), slot: 0 },
    ...(values === undefined ? [] : [{ ...read("v"), slot: 2 }]),
    { ...read("dy"), slot: 4 },
    { ...read("statistics", "f32"), slot: 5 },
    ...(values === undefined ? [] : [{ ...write("dv"), slot: 7 }]),
    { ...write("dqkv"), slot: 6 },
  ],
  preludes: ({ values }) => {
    const where = values === undefined ? "beside" : "apart";
    return [
      `attention/values_${where}`,
      `attention/value_gradients_${where}`,
      "attention/keys_seen",
      "attention/scores",
      "attention/whole_sequences",
      "attention/gradients_of_sequences",
      "attention/gradient_tiles",
    ];
  },
  constants: (shape) => ({ ...attentionConstants(shape), LANES: lanes(shape) }),
  grid: ({ batch, sequence, heads }) => [2 * ceilDiv(sequence, tile), heads, batch],
  flops: (shape) => {
    const { batch, heads, headDim } = shape;
    return 2 * batch * heads * attendedPairs(shape) * (3 * headDim + 2 * valueDimOf(shape));
  },
  bytes: (shape, dtype) => {
    const { batch, sequence, heads, kvHeads, headDim } = shape;
    const valueDim = valueDimOf(shape);
    const columns = 2 * (heads + kvHeads) * headDim + (2 * kvHeads + heads) * valueDim;
    return batch * sequence * (columns * bytesPerElement(dtype) + 8 * heads);
  },
  alternatives: [attentionGradientSubgroup],
};
