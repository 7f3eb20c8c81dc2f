// What a model says of the attention of all of its layers at once.

import type { QueryTemperature } from "./layers/attention.ts";
import type { Rotary } from "./layers/rotary.ts";

/**
 * An indexer of so many heads chooses the `topK` tokens that each token attends to (DeepSeek V3.2). A sequence of at
 * most so many is attended to as a whole.
 */
export interface SparseAttention {
  readonly heads: number;
  readonly headDim: number;
  readonly topK: number;
}

/** Of all layers, or of those without positions. */
export interface AttentionTemperature
  extends Omit<QueryTemperature, "offset">, Partial<Pick<QueryTemperature, "offset">> {
  readonly layers?: "without-positions";
}

/** How positions enter: those of `Rotary`, rows of a learned table, or slopes of scores. */
export interface Positions extends Partial<Rotary> {
  readonly kind: "rotary" | "learned" | "alibi";
  /** Rows of a learned table. */
  readonly count?: number;
  /** Of the learned table: the row of the first token. Absent: 0. */
  readonly offset?: number;
  /** Layers that have none. */
  readonly layersWithout?: readonly number[];
  /** Base of layers with a sliding window, which are then not scaled. Absent: as all others. */
  readonly localBase?: number;
}

/** What layers have in place of attention that none here runs. */
export interface OtherMixer {
  /** How many, or which. */
  readonly layers: number | readonly number[];
  /** Of each. */
  readonly parameters: number;
  /** Such as Mamba-2. */
  readonly kind?: string;
}
