// Claims of plans that serve, without a run: caches by the plan, latency and rates by what a decode step must read.

import { expect, test } from "vitest";
import { judgeClaims } from "../../src/claims/judge.ts";
import { normalise } from "../../src/plan/normalise.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { estimatePlan } from "../../src/program/estimate.ts";

/** 2 GiB of weights and more, 2 · 4 · 1024 · 2 bytes of cache per token. */
const model = {
  layers: 4,
  hidden: 4096,
  heads: 32,
  kvHeads: 8,
  headDim: 128,
  ffn: 16_384,
  gated: true,
};
const workload = {
  mode: "serving",
  batch: 8,
  inputTokens: 100,
  outputTokens: 101,
  dtype: "f16",
} as const;

function verdictOn(claims: NonNullable<PlanFile["claims"]>) {
  const { plan } = normalise({
    name: "served",
    hardware: { gpus: 1, memoryBandwidth: 1e12 },
    workload,
    model,
    claims,
  });
  if (plan === undefined) throw new Error("no plan");
  const [verdict] = judgeClaims({ plan, estimate: estimatePlan(plan) });
  return verdict;
}

const weights = 2 * 4 * (4096 * (4096 + 2 * 1024) + 4096 * 4096 + 3 * 4096 * 16_384 + 2 * 4096);
const perToken = 2 * 4 * 1024 * 2;
const tpotMs = (1000 * (weights + 150.5 * perToken)) / 1e12;
const most = (1e12 * 8) / (weights + 8 * 150.5 * perToken);

test.each([
  ["tpotMs", 0.97 * tpotMs, "refuted"],
  ["tpotMs", 1.01 * tpotMs, "untestable"],
  ["itlMs", 0.97 * tpotMs, "refuted"],
  ["tokensPerSecondPerUser", 1030 / tpotMs, "refuted"],
  ["tokensPerSecondPerUser", 990 / tpotMs, "untestable"],
  ["outputTokensPerSecond", 1.03 * most * 1.01, "refuted"],
  ["outputTokensPerSecond", 0.99 * most, "untestable"],
  ["requestsPerSecond", (1.05 * most) / 100, "refuted"],
  ["kvCacheBytes", 8 * 200 * perToken, "confirmed"],
  ["kvCacheBytes", 0.9 * 8 * 200 * perToken, "refuted"],
  ["kvCacheBytes", 1.2 * 8 * 200 * perToken, "untestable"],
  ["ttftMs", 1, "untestable"],
] as const)("%s of %d is %s", (key, value, judgement) => {
  expect(verdictOn({ [key]: value })).toMatchObject({ claim: key, judgement });
});
