// Token ids to hidden vectors.

import { z } from "zod";
import type { LinearSplit } from "../groups.ts";
import { count } from "../schema_numbers.ts";
import { isOnOneGpu, type LayerBase, leftBySplit, type PlanLayer, shareOfSplit } from "./layer.ts";
import { parallel, splitOf } from "./parallel.ts";

/** Token ids to hidden vectors. Column splits the hidden dimension, row the vocabulary. */
export interface EmbeddingLayer extends LayerBase {
  readonly op: "embedding";
  readonly vocabulary: number;
  readonly hidden: number;
  readonly split: LinearSplit;
  /** Rows of the table are multiplied by it. Absent: 1. */
  readonly scale?: number;
  /** A learned table of `count` rows; a token adds that of its place in the sample, from `offset` on. */
  readonly positions?: { readonly count: number; readonly offset?: number };
}

const schema = z.strictObject({
  op: z.literal("embedding"),
  vocabulary: count,
  hidden: count,
  scale: z.number().positive().exactOptional(),
  positions: z
    .strictObject({ count, offset: z.int().nonnegative().exactOptional() })
    .exactOptional(),
  parallel,
});

export const embedding = {
  schema,
  kinds: ["column", "row", "replicated", "data"],
  read: ({ parallel: placed, ...rest }, base): EmbeddingLayer => ({
    ...base,
    ...rest,
    split: splitOf(placed),
  }),
  write: ({ split, ...sizes }, place) => ({
    ...sizes,
    parallel: { kind: isOnOneGpu(place) ? "replicated" : split, gpus: place.gpus },
  }),
  inputWidth: () => undefined,
  outputWidth: ({ hidden }) => hidden,
  detail: ({ vocabulary, hidden }) => `${vocabulary} → ${hidden}`,
  share: ({ split }) => shareOfSplit[split],
  leaves: ({ split }) => leftBySplit[split],
  buffers: ({ vocabulary, hidden, split, positions }, members) => ({
    weights: [
      (vocabulary * hidden) / (split === "replicated" ? 1 : members),
      ((positions?.count ?? 0) * hidden) / (split === "column" ? members : 1),
    ],
  }),
} satisfies PlanLayer<EmbeddingLayer, z.infer<typeof schema>>;
