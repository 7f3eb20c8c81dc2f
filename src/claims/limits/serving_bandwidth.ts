// A decode step reads the weights of its layers once per micro-batch, and the keys and values of the requests that it
// gives a token: tokens/s ≤ requests ÷ ((micro-batches · weights + requests · cache) ÷ bandwidth), of the fullest GPU.
// More requests at a time make it larger, so that a whole batch is the best; a request's first token is not decoded.
// Dense plans with more weights than any cache on a chip only, as of `memory_bandwidth.ts`.

import { mixedPrecision } from "../../plan/optimizations.ts";
import { sizePaths } from "../../plan/assumed.ts";
import { pagesOf } from "../../plan/serving.ts";
import { largest } from "../case.ts";
import type { ClaimKey } from "../table.ts";
import { number, quantity } from "../words.ts";
import { leftOutOfSpeed, type LimitRule } from "./limit.ts";
import { readPerMicroBatch } from "./memory_bandwidth.ts";

export const servingBandwidthLimit: LimitRule = (given, { key }) => {
  const { plan, estimate } = given;
  const { serving, batch, microBatches, sequence } = plan.workload;
  const bandwidth = plan.hardware.memoryBandwidth;
  const weights = readPerMicroBatch(given);
  if (serving === undefined || bandwidth === undefined || weights === undefined) return undefined;
  const { inputTokens, outputTokens } = serving;
  const { pages, pageTokens } = pagesOf(serving, sequence);
  const context = (inputTokens + outputTokens / 2) / (pages * pageTokens);
  // Less is read where layers see a window or a chunk, or have states in fewer bits.
  const isWhole = !plan.stages.some(({ layers }) =>
    layers.some(
      (layer) =>
        layer.op === "gated-delta" ||
        (layer.op === "attention" && (layer.window !== undefined || layer.chunk !== undefined)),
    ),
  );
  const most = isWhole ? largest(estimate.memory, ({ keyValueCache }) => keyValueCache) : 0;
  const replicas = plan.degrees?.data ?? 1;
  /** Of one request, where caches hold a whole number of tokens at least. */
  const cache = (most * context * replicas) / batch;
  const tokenMs = (1000 * (weights + cache)) / bandwidth;
  const own = batch / replicas;
  const perGroup = (own * bandwidth) / (microBatches * weights + own * cache);
  const decoded = replicas * perGroup * (outputTokens / (outputTokens - 1));
  const best: Partial<Record<ClaimKey, number>> = {
    tpotMs: tokenMs,
    itlMs: tokenMs,
    tokensPerSecondPerUser: 1000 / tokenMs,
    outputTokensPerSecond: decoded,
    tokensPerSecondPerGpu: decoded / plan.hardware.gpus,
    requestsPerSecond: decoded / outputTokens,
  };
  const found = best[key];
  if (found === undefined) return undefined;
  return {
    name: "memory bandwidth",
    best: found,
    because: `a decode step reads ${quantity(weights, "B")} of weights and ${quantity(cache, "B")} of each request's cache at ${quantity(bandwidth, "B/s")}: ${number(found)} at best`,
    paths: [
      ...sizePaths,
      "workload.inputTokens",
      "workload.outputTokens",
      "workload.pageTokens",
      "workload.cacheDtype",
      "hardware.memoryBandwidth",
    ],
    unsaid: [...leftOutOfSpeed(given), ...mixedPrecision(plan)],
    needs: [],
  };
};
