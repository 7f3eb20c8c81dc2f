import { accumulate, type Kernel, read, readUniform } from "./kernel.ts";
import { inRows } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface EmbeddingGradientShape {
  readonly tokens: number;
  readonly hidden: number;
  /** First id of this shard of the table. */
  readonly vocabularyStart: number;
  /** Ids in this shard. */
  readonly vocabularyRows: number;
  /** Default: 1. */
  readonly scale?: number;
}

/** dtable f32 [vocabularyRows, hidden]: row ids[token] − vocabularyStart += scale · dy[token], where the id is in the shard. */
export const embeddingGradient: Kernel<EmbeddingGradientShape> = {
  name: "embedding_gradient",
  bindings: [readUniform("ids", "u32"), read("dy"), accumulate("dtable")],
  ...inRows<EmbeddingGradientShape>(
    1,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, hidden, vocabularyStart, vocabularyRows, scale = 1 }) => ({
      TOKENS: tokens,
      HIDDEN: hidden,
      VOCABULARY_START: vocabularyStart,
      VOCABULARY_ROWS: vocabularyRows,
      SCALE: scale,
    }),
  ),
  flops: ({ tokens, hidden }) => tokens * hidden,
  bytes: ({ tokens, hidden }, dtype) =>
    4 * tokens + paddedElements(tokens, hidden) * (bytesPerElement(dtype) + 8),
};
