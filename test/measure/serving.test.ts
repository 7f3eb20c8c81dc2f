// Latencies and rates of requests by hand.

import { expect, test } from "vitest";
import { type ServedRound, servingMetrics } from "../../src/measure/serving.ts";

const round: ServedRound = {
  run: 0,
  arrivalMs: [0, 10],
  // Gaps of 20, 30 and of 30, 10.
  tokenMs: [
    [40, 60, 90],
    [60, 90, 100],
  ],
  prefillSteps: 2,
  decodeSteps: 3,
  wallMs: 100,
  pagesUsed: 3,
  pages: 4,
};
const plan = { gpus: 2, inputTokens: 5, kvCacheBytes: 4096 };
const conditions = { provenance: "measured", conditions: [] } as const;

test("latencies and rates are those of vllm bench serve", () => {
  const found = servingMetrics([round], plan, conditions);
  expect(found?.ttftMs.mean.value).toBe(45);
  expect(found?.ttftMs.median.value).toBe(45);
  expect(found?.tpotMs.mean.value).toBe(22.5);
  expect(found?.itlMs.mean.value).toBe(22.5);
  expect(found?.itlMs.median.value).toBe(25);
  expect(found?.requestsPerSecond.value).toBe(20);
  expect(found?.outputTokensPerSecond.value).toBe(60);
  expect(found?.totalTokensPerSecond.value).toBe(160);
  expect(found?.tokensPerSecondPerGpu.value).toBe(30);
  expect(found?.tokensPerSecondPerUser.value).toBeCloseTo(1000 / 22.5, 9);
  expect(found?.kvCacheUsed.value).toBe(0.75);
});

test("a percentile of few requests is absent, of many it is there", () => {
  expect(servingMetrics([round], plan, conditions)?.ttftMs.p99).toBeUndefined();
  const many: ServedRound = {
    ...round,
    arrivalMs: Array.from({ length: 500 }, () => 0),
    tokenMs: Array.from({ length: 500 }, (_, i) => [i + 1, 600]),
  };
  expect(servingMetrics([many], plan, conditions)?.ttftMs.p99?.value).toBe(495);
});

test("several rounds: the median of them; none: nothing", () => {
  const slower = { ...round, wallMs: 200 };
  expect(servingMetrics([round, slower], plan, conditions)?.requestsPerSecond.value).toBe(15);
  expect(servingMetrics([], plan, conditions)).toBeUndefined();
});
