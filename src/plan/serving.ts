// What a plan says about serving: requests of equal length, their caches of keys and values, and how steps are made of
// them.

import { z } from "zod";
import { dtypeNames, precisionOf } from "./dtype_names.ts";
import type { Precision } from "./plan.ts";
import { type Sampling, samplingFile, samplingOf } from "./sampling.ts";
import { count } from "./schema_numbers.ts";

export interface Serving {
  /** In all; `workload.batch` of them run at once. */
  readonly requests: number;
  readonly inputTokens: number;
  /** The first of them is the prefill's. */
  readonly outputTokens: number;
  /** Of keys and values in the caches. */
  readonly cacheDtype: Precision;
  /** Tokens of a page. Absent: a request's tokens lie one after the other. */
  readonly pageTokens?: number;
  /** Tokens of a request that one prefill step takes at most. */
  readonly prefillChunk: number;
  readonly scheduler: SchedulerRules;
  /** Absent: tokens are synthetic, whatever the logits are. */
  readonly sampling?: Sampling;
}

export interface SchedulerRules {
  /** `static`: requests start and end in waves of a whole batch. `continuous`: one starts where another ended. */
  readonly kind: "static" | "continuous";
  /** Tokens of all requests that one iteration works on at most. */
  readonly maxBatchedTokens: number;
  /** Mean of a Poisson process. Absent: all are there at the beginning. */
  readonly requestsPerSecond?: number;
}

/** Of `workload`, where its mode is serving. */
export const servingKeys = {
  requests: count.max(1_000_000).exactOptional(),
  inputTokens: count.max(10_000_000).exactOptional(),
  outputTokens: count.min(2).max(10_000_000).exactOptional(),
  /** Default: the workload's. `bf16` is kept as `f16`, which is as wide. */
  cacheDtype: z.enum(dtypeNames).exactOptional(),
  pageTokens: count.max(65_536).exactOptional(),
  prefillChunk: count.exactOptional(),
  scheduler: z
    .strictObject({
      kind: z.enum(["static", "continuous"]).exactOptional(),
      maxBatchedTokens: count.exactOptional(),
      requestsPerSecond: z.number().positive().exactOptional(),
    })
    .exactOptional(),
  sampling: samplingFile.exactOptional(),
};

export type ServingFile = z.infer<z.ZodObject<typeof servingKeys>>;

/** As vLLM has it where nothing is said. */
const defaultBatchedTokens = 2048;

/** @param batch requests that run at once */
export function servingOf(file: ServingFile, batch: number, dtype: Precision): Serving {
  const { inputTokens = 1, outputTokens = 2, requests = batch, scheduler = {} } = file;
  const prefillChunk = Math.min(inputTokens, file.prefillChunk ?? inputTokens);
  const { pageTokens, cacheDtype, sampling } = file;
  return {
    requests,
    inputTokens,
    outputTokens,
    cacheDtype: cacheDtype === undefined ? dtype : precisionOf(cacheDtype),
    ...(pageTokens === undefined ? {} : { pageTokens }),
    prefillChunk,
    ...(sampling === undefined ? {} : { sampling: samplingOf(sampling) }),
    scheduler: {
      kind: "continuous",
      maxBatchedTokens: Math.max(defaultBatchedTokens, prefillChunk, batch),
      ...scheduler,
    },
  };
}

/** Of one request in the caches at its end: its last token is given out and not read again. */
export function contextTokens({ inputTokens, outputTokens }: ServingFile): number {
  return (inputTokens ?? 1) + (outputTokens ?? 2) - 1;
}

/** Tokens that a page has room for, and pages of a request. */
export function pagesOf(serving: Pick<Serving, "pageTokens">, context: number) {
  const pageTokens = serving.pageTokens ?? context;
  return { pageTokens, pages: Math.ceil(context / pageTokens) };
}
