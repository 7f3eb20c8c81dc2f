import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";

export interface AttentionShape {
  /** Sequences. */
  readonly batch: number;
  /** Tokens per sequence. */
  readonly sequence: number;
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** A multiple of 4. */
  readonly headDim: number;
  /** A query sees its own position and earlier ones. */
  readonly causal: boolean;
}

/** Fused softmax(q · kᵀ / √headDim) · v with an online softmax; the score matrix is never written. */
export const attention: Kernel<AttentionShape> = {
  name: "attention",
  bindings: [read("qkv"), write("y")],
  constants: ({ batch, sequence, heads, kvHeads, headDim, causal }) => ({
    BATCH: batch,
    SEQUENCE: sequence,
    HEADS: heads,
    KV_HEADS: kvHeads,
    HEAD_DIM: headDim,
    CAUSAL: causal ? 1 : 0,
  }),
  grid: () => [ceilDiv(1, 1), 1, 1],
  flops: ({ batch, sequence, heads, headDim, causal }) =>
    (4 * batch * heads * sequence * sequence * headDim) / (causal ? 2 : 1),
  bytes: ({ batch, sequence, heads, kvHeads, headDim }, dtype) =>
    batch * sequence * (2 * heads + 2 * kvHeads) * headDim * bytesPerElement(dtype),
};
