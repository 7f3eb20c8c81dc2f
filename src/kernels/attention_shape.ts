// What attention over the tokens of whole sequences depends on.

export interface AttentionShape {
  /** Sequences. */
  readonly batch: number;
  /** Tokens per sequence. */
  readonly sequence: number;
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** A multiple of 4, at most 256. */
  readonly headDim: number;
  /** A query sees its own position and earlier ones. */
  readonly causal: boolean;
}
