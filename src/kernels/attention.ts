import type { AttentionShape } from "./attention_shape.ts";
import { attentionShared } from "./attention_shared.ts";
import { attentionSubgroup } from "./attention_subgroup.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

/** Queries that share the keys and values which a workgroup loads. */
const queriesPerGroup = 32;

/** A lane holds 8 of the queries and 2 quads of the head. */
function lanes(headDim: number): number {
  return (queriesPerGroup / 8) * ceilDiv(headDim, 8);
}

/** Fused softmax(q · kᵀ / √headDim) · v with an online softmax; the score matrix is never written. */
export const attention: Kernel<AttentionShape> = {
  name: "attention",
  bindings: [read("qkv"), write("y")],
  constants: ({ sequence, heads, kvHeads, headDim, causal }) => ({
    SEQUENCE: sequence,
    HEADS: heads,
    KV_HEADS: kvHeads,
    HEAD_DIM: headDim,
    CAUSAL: causal ? 1 : 0,
    LANES: lanes(headDim),
  }),
  grid: ({ batch, sequence, heads }) => [ceilDiv(sequence, queriesPerGroup), heads, batch],
  flops: ({ batch, sequence, heads, headDim, causal }) =>
    (4 * batch * heads * sequence * sequence * headDim) / (causal ? 2 : 1),
  bytes: ({ batch, sequence, heads, kvHeads, headDim }, dtype) =>
    batch * sequence * (2 * heads + 2 * kvHeads) * headDim * bytesPerElement(dtype),
  alternatives: [attentionSubgroup, attentionShared],
};
