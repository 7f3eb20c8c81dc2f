// The data set that a program's token ids are read from, and how its steps read it.

import { type TokenType, usualTokens } from "../plan/data_set.ts";
import type { EmbeddingLayer } from "../plan/layers/embedding.ts";
import type { Plan, Workload } from "../plan/plan.ts";

export interface TokenSource {
  /** Absent: a file that is made of `tokens` ids below `vocabulary`. */
  readonly path?: string;
  readonly dtype: TokenType;
  readonly tokens: number;
  readonly vocabulary: number;
  /** Samples of a step. */
  readonly batch: number;
  /** Tokens of a sample. */
  readonly sequence: number;
  /** Of the order of samples. */
  readonly seed: number;
}

/** Undefined where the plan names no data set, or takes no tokens. */
export function tokenSourceOf({ workload, stages }: Plan): TokenSource | undefined {
  const { data, batch, sequence, seed } = workload;
  const embedding = stages
    .flatMap(({ layers }) => layers)
    .find((layer): layer is EmbeddingLayer => layer.op === "embedding");
  if (data === undefined || embedding === undefined) return undefined;
  const { isPrefetched: _, ...file } = data;
  return { tokens: usualTokens, ...file, vocabulary: embedding.vocabulary, batch, sequence, seed };
}

/** Of an op that writes ids. */
export function readAhead({ data }: Pick<Workload, "data">): { readonly isReadAhead?: true } {
  return data?.isPrefetched === true ? { isReadAhead: true } : {};
}
