import { type Kernel, read, write } from "./kernel.ts";
import { inRows, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface EmbeddingShape {
  readonly tokens: number;
  readonly hidden: number;
  /** First id of this shard. */
  readonly vocabularyStart: number;
  /** Ids in this shard. */
  readonly vocabularyRows: number;
}

/** y[token] = table[ids[token] - vocabularyStart], or zeros where the id is not in this shard. */
export const embedding: Kernel<EmbeddingShape> = {
  name: "embedding",
  bindings: [read("ids", "u32"), read("table"), write("y")],
  ...inRows<EmbeddingShape>(
    rowsAtOnce,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, hidden, vocabularyStart, vocabularyRows }) => ({
      TOKENS: tokens,
      HIDDEN: hidden,
      VOCABULARY_START: vocabularyStart,
      VOCABULARY_ROWS: vocabularyRows,
    }),
  ),
  flops: () => 0,
  bytes: ({ tokens, hidden }, dtype) =>
    tokens * 4 + 2 * paddedElements(tokens, hidden) * bytesPerElement(dtype),
};
