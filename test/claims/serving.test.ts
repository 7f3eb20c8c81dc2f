// Claims of plans that serve, without a run: caches by the plan, latency and rates by what a decode step must read.

import { expect, test } from "vitest";
import { judgeClaims } from "../../src/claims/judge.ts";
import { normalise } from "../../src/plan/normalise.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { type ServedRound, servingMetrics } from "../../src/measure/serving.ts";
import { exclusive, measured, metricsWith } from "../support/given.ts";

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

function planOf(claims: NonNullable<PlanFile["claims"]>, more: Partial<PlanFile> = {}): Plan {
  const { plan } = normalise({
    name: "served",
    hardware: { gpus: 1, memoryBandwidth: 1e12 },
    workload,
    model,
    claims,
    ...more,
  });
  if (plan === undefined) throw new Error("no plan");
  return plan;
}

function verdictOn(claims: NonNullable<PlanFile["claims"]>) {
  const plan = planOf(claims);
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

/** Rounds over as many requests, each with its first token after 10 ms and one every 5 ms. */
function ran(plan: Plan, rounds: number, requests = 8) {
  const round = (at: number): ServedRound => ({
    run: 0,
    arrivalMs: Array.from({ length: requests }, () => 0),
    tokenMs: Array.from({ length: requests }, () =>
      Array.from({ length: 101 }, (_, token) => 10 + 5 * token + 0.01 * at),
    ),
    prefillSteps: 1,
    decodeSteps: 100,
    wallMs: 600 + at,
    pages: 8,
    pagesUsed: 8,
  });
  const serving = servingMetrics(
    Array.from({ length: rounds }, (_, at) => round(at)),
    { gpus: 1, inputTokens: 100, kvCacheBytes: 1 },
    { provenance: "measured", conditions: [] },
  );
  const decode = {
    busy: measured(0.9, "share", [0.89, 0.91]),
    mfu: measured(0.9, "share", [0.89, 0.91]),
    modelFlopsRate: measured(5e14, "FLOP/s", [4.9e14, 5.1e14]),
    samplesPerSecond: measured(1600, "samples/s", [1590, 1610]),
    layerMs: measured(1, "ms", [0.9, 1.1]),
  };
  const metrics = metricsWith({ ...decode, ...(serving && { serving }) });
  const [verdict] = judgeClaims({
    plan,
    estimate: estimatePlan(plan),
    measurements: { adapters: exclusive.slice(0, 1), metrics },
  });
  return verdict;
}

test("a run decides a latency by its rounds, where there are enough of them", () => {
  expect(ran(planOf({ ttftMs: 11 }), 6)?.judgement).toBe("confirmed");
  expect(ran(planOf({ ttftMs: 9 }), 6)?.judgement).toBe("refuted");
  expect(ran(planOf({ ttftMs: 11 }), 1)).toMatchObject({
    judgement: "untestable",
    reason: expect.stringMatching(/1 sample is too few/) as string,
  });
  expect(ran(planOf({ ttftMs: 11 }), 1, 1)?.judgement).toBe("untestable");
});

test.each(["gpuUtilization", "computeUtilization", "latencyPerLayerMs"] as const)(
  "%s is not decided by decode steps",
  (key) => {
    for (const value of [0.001, 0.95]) {
      const hardware = { gpus: 1, memoryBandwidth: 1e12, peakFlops: 1e15 };
      const verdict = ran(planOf({ [key]: value }, { hardware }), 6);
      expect(verdict).toMatchObject({
        judgement: "untestable",
        reason: expect.stringMatching(/decode steps alone/) as string,
      });
      expect(verdict?.reason).not.toMatch(/of the plan's peak/);
    }
  },
);

test.each(["requests", "inputTokens", "outputTokens", "scheduler", "prefillChunk"])(
  "no speed is decided of an assumed %s",
  (key) => {
    const assumed = [`workload.${key}`];
    expect(ran(planOf({ ttftMs: 11 }, { assumed }), 6)).toMatchObject({
      judgement: "untestable",
      reason: expect.stringMatching(/assumed/) as string,
    });
  },
);

test.each(["outputTokens", "pageTokens", "cacheDtype"])(
  "no cache is decided of an assumed %s",
  (key) => {
    const plan = planOf({ kvCacheBytes: 8 * 200 * perToken }, { assumed: [`workload.${key}`] });
    const [verdict] = judgeClaims({ plan, estimate: estimatePlan(plan) });
    expect(verdict?.judgement).toBe("untestable");
  },
);

const windowed = { slidingWindow: { tokens: 20, layers: [0, 1] } };
const shared = { kvHeads: 2 };

test.each([
  // Two of four layers see 20 tokens of 200.
  [windowed, 1, 1, "confirmed"],
  [windowed, 1, 0.7, "untestable"],
  [windowed, 1, 0.55, "untestable"],
  [windowed, 1, 0.5, "refuted"],
  // Two ranks keep each head.
  [shared, 4, 2, "confirmed"],
  [shared, 4, 1.5, "untestable"],
  [shared, 4, 1, "ambiguous"],
  [shared, 4, 0.9, "refuted"],
  [shared, 2, 0.9, "refuted"],
])("the cache of %j on %d tensor ranks, %d times its keys, is %s", (parts, gpus, times, is) => {
  const { kvHeads } = { ...model, ...parts };
  const keys = (8 * 200 * perToken * kvHeads) / model.kvHeads;
  const plan = planOf(
    { kvCacheBytes: times * keys },
    { model: { ...model, ...parts }, hardware: { gpus }, parallel: { tensor: gpus } },
  );
  const [verdict] = judgeClaims({ plan, estimate: estimatePlan(plan) });
  expect(verdict?.judgement).toBe(is);
});

test("a latent is cached by every tensor rank, and may count once", () => {
  const latent = { keyValueRank: 64, rotaryDim: 32, valueDim: 128 };
  const plan = planOf(
    {},
    { model: { ...model, kvHeads: 32, latent }, hardware: { gpus: 4 }, parallel: { tensor: 4 } },
  );
  const estimate = estimatePlan(plan);
  const judged = (numbers: number) => {
    const claims = { kvCacheBytes: 8 * 200 * numbers * 4 * 2 };
    return judgeClaims({ plan: { ...plan, claims }, estimate })[0]?.judgement;
  };
  expect(judged(4 * 96)).toBe("confirmed");
  expect(judged(96)).toBe("ambiguous");
  expect(judged(80)).toBe("refuted");
});

test("layers that see a window read less than the whole cache", () => {
  const chunked = { ...model, chunkedAttention: { tokens: 10, layers: [0, 1, 2, 3] } };
  const plan = planOf({ tpotMs: 0.99 * tpotMs }, { model: chunked });
  const [verdict] = judgeClaims({ plan, estimate: estimatePlan(plan) });
  expect(verdict?.judgement).toBe("untestable");
});
