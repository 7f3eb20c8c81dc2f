// How the steps of a phase use the caches of keys and values.

import { pagesOf } from "../../plan/serving.ts";
import type { Precision, Workload } from "../../plan/plan.ts";
import { splitEvenly } from "../tensor.ts";

export interface CacheUse {
  readonly cacheDtype: Precision;
  readonly pageTokens: number;
  /** Of a request. */
  readonly pages: number;
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
    ...pagesOf(serving, inputTokens + outputTokens - 1),
    queries: sequence,
    expectedKeys: Math.round(
      isPrefill ? (inputTokens + prefillChunk) / 2 : inputTokens + outputTokens / 2,
    ),
    isFresh: isPrefill && prefillChunk >= inputTokens,
  };
}

/** Requests that each replica has room for: its share of every micro-batch of a decode step. */
export function slotsOfReplicas(
  { slots, slotParts }: NonNullable<Workload["phase"]>,
  replicas: number,
): number[] {
  return splitEvenly(slots / slotParts, replicas).map((own) => own * slotParts);
}
