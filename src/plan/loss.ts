// What a training step minimizes.

import type { EmbeddingLayer } from "./layers/embedding.ts";
import { planLayerOf } from "./layers/layers.ts";
import type { Plan } from "./plan.ts";

export type Loss =
  /**
   * Mean over all tokens of the batch of −log softmax(logits)[label]. A token's label is the one after it: in its
   * sample, of a data set; else ids are a stream of one more than the batch has, in which samples follow each other.
   */
  | { readonly kind: "cross-entropy"; readonly vocabulary: number }
  /** ½ · mean over all values of the result of the squared difference from targets, which are uniform in [−1, 1]. */
  | { readonly kind: "squared-error" };

/** Cross-entropy where token ids go in and logits over the same vocabulary come out, of each token its own. */
export function lossOf({ stages }: Plan): Loss {
  const layers = stages.flatMap((stage) => stage.layers);
  const last = layers.at(-1);
  const embedding = layers.find((layer): layer is EmbeddingLayer => layer.op === "embedding");
  const isOfTokens = layers.every((layer) => planLayerOf(layer).aggregates === undefined);
  if (
    isOfTokens &&
    embedding !== undefined &&
    last?.op === "linear" &&
    last.out >= embedding.vocabulary
  ) {
    return { kind: "cross-entropy", vocabulary: embedding.vocabulary };
  }
  return { kind: "squared-error" };
}
