import { attentionConstants, type AttentionShape, qkvColumns } from "./attention_shape.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv, rowPitch } from "./storage.ts";

/** Queries and keys of a workgroup. */
const tile = 32;

/**
 * Of attention that is not fused: `y` f32 [batch · heads · sequence, sequence], the score of each query and key. Those of
 * keys that a query does not see are made, too, and are so low that their exponential is 0. Sinks have no place in it.
 */
export const attentionScores: Kernel<AttentionShape> = {
  name: "attention_scores",
  bindings: [read("qkv"), write("y", "f32")],
  preludes: () => ["attention/keys_alone", "attention/keys_seen", "attention/scores"],
  constants: (shape) => {
    const { values: _, ...ofScores } = shape;
    return { ...attentionConstants(ofScores), QKV_QUADS: qkvColumns(shape) / 4, LANES: 64 };
  },
  grid: ({ batch, sequence, heads }) => [
    ceilDiv(sequence, tile),
    ceilDiv(sequence, tile),
    batch * heads,
  ],
  flops: ({ batch, sequence, heads, headDim }) => 2 * batch * heads * sequence ** 2 * headDim,
  bytes: (shape, dtype) => {
    const { batch, sequence, heads, kvHeads, headDim } = shape;
    const tokens = batch * sequence;
    return tokens * (heads + kvHeads) * headDim * bytesPerElement(dtype) + scoreBytes(shape);
  },
};

/** Of scores, and of weights. */
export function scoreBytes({ batch, sequence, heads }: AttentionShape): number {
  return 4 * batch * heads * sequence * rowPitch(sequence);
}
