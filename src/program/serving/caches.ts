// How the steps of a phase use the caches of keys and values.

import { contextTokens, pagesOf } from "../../plan/serving.ts";
import type { Precision, Workload } from "../../plan/plan.ts";
import { splitEvenly } from "../tensor.ts";

export interface CacheUse {
  readonly cacheDtype: Precision;
  readonly pageTokens: number;
  /** Of a request. */
  readonly pages: number;
  /** Of a request at its end: positions are below it. */
  readonly tokens: number;
  /** New tokens of a request in a step at most. */
  readonly queries: number;
  /** Tokens of a request that are cached as a rule, the new ones included. */
  readonly expectedKeys: number;
  /** Nothing is cached before: what new tokens see is all among them. */
  readonly isFresh: boolean;
}

/** Undefined where nothing is served. */
export function cacheUseOf({ serving, phase, sequence }: Workload): CacheUse | undefined {
  if (serving === undefined || phase === undefined) return undefined;
  const { inputTokens, outputTokens, cacheDtype, prefillChunk } = serving;
  const isPrefill = phase.name === "prefill";
  return {
    cacheDtype,
    ...pagesOf(serving, contextTokens(serving)),
    tokens: contextTokens(serving),
    queries: sequence,
    expectedKeys: Math.round(
      isPrefill ? (inputTokens + prefillChunk) / 2 : inputTokens + outputTokens / 2,
    ),
    isFresh: isPrefill && prefillChunk >= inputTokens,
  };
}

/** Of the expected keys those that a new token sees, as a rule; a chunk is half full. */
export function keysSeen(
  { expectedKeys, queries }: Pick<CacheUse, "expectedKeys" | "queries">,
  { window = Infinity, chunk = Infinity }: { readonly window?: number; readonly chunk?: number },
): number {
  const inChunk = expectedKeys <= chunk ? expectedKeys : Math.ceil(chunk / 2);
  // Of a step's queries, each sees a window of its own.
  return Math.min(expectedKeys, inChunk + queries - 1, window + queries - 1);
}

/** Requests that each replica has room for: its share of every micro-batch of a decode step. */
export function slotsOfReplicas(
  { slots, slotParts }: NonNullable<Workload["phase"]>,
  replicas: number,
): number[] {
  return splitEvenly(slots / slotParts, replicas).map((own) => own * slotParts);
}
