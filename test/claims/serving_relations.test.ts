// Claims of a plan that serves, held against each other: 8 requests at once on 2 GPUs, 100 tokens in and 101 out.

import { expect, test } from "vitest";
import { inspect } from "../../src/check/check_plan.ts";
import { judgeClaims } from "../../src/claims/judge.ts";
import type { Claims } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { planOf } from "../support/written_plan.ts";

const plan = planOf(`
name: served
hardware: { gpus: 2, memoryPerGpu: 100MB }
workload: { mode: serving, batch: 8, inputTokens: 100, outputTokens: 101 }
model: { layers: 1, hidden: 16, heads: 2 }
parallel: { tensor: 2 }
`);
const estimate = estimatePlan(plan);

function judged(claims: Claims, relation: string, assumed: readonly string[] = []) {
  return judgeClaims({ plan: { ...plan, claims, assumed }, estimate }).find(
    ({ claim }) => claim === relation,
  );
}

const two = { requestsPerSecond: 2 };

test.each<readonly [Claims, string, string]>([
  [{ ...two, outputTokensPerSecond: 202 }, "outputArithmetic", "confirmed"],
  [{ ...two, outputTokensPerSecond: 198.5 }, "outputArithmetic", "confirmed"],
  [{ ...two, outputTokensPerSecond: 197 }, "outputArithmetic", "refuted"],
  [{ requestsPerSecond: 2.1, outputTokensPerSecond: 207 }, "outputArithmetic", "ambiguous"],
  [{ samplesPerSecond: 2, outputTokensPerSecond: 300 }, "outputArithmetic", "refuted"],
  [{ outputTokensPerSecond: 202, tokensPerSecondPerGpu: 101 }, "perGpuArithmetic", "confirmed"],
  [{ outputTokensPerSecond: 202, tokensPerSecondPerGpu: 201 }, "perGpuArithmetic", "ambiguous"],
  [{ outputTokensPerSecond: 202, tokensPerSecondPerGpu: 202 }, "perGpuArithmetic", "ambiguous"],
  [{ outputTokensPerSecond: 202, tokensPerSecondPerGpu: 150 }, "perGpuArithmetic", "refuted"],
  [{ ...two, tokensPerSecond: 402 }, "totalArithmetic", "confirmed"],
  [{ outputTokensPerSecond: 202, tokensPerSecond: 402 }, "totalArithmetic", "confirmed"],
  [{ ...two, tokensPerSecond: 202 }, "totalArithmetic", "ambiguous"],
  [{ requestsPerSecond: 2.1, tokensPerSecond: 207 }, "totalArithmetic", "ambiguous"],
  [{ requestsPerSecond: 2.1, tokensPerSecond: 195 }, "totalArithmetic", "refuted"],
  [{ ...two, tokensPerSecond: 300 }, "totalArithmetic", "refuted"],
  [{ ...two, tpotMs: 40 }, "inFlightArithmetic", "confirmed"],
  [{ ...two, tpotMs: 43.9 }, "inFlightArithmetic", "confirmed"],
  [{ ...two, tpotMs: 44.1 }, "inFlightArithmetic", "refuted"],
  [{ memoryUtilization: 0.9, memoryAvailable: 10e6 }, "memoryArithmetic", "confirmed"],
  [{ memoryUtilization: 0.9, memoryAvailable: 20e6 }, "memoryArithmetic", "refuted"],
])("%j: %s is %s", (claims, relation, judgement) => {
  expect(judged(claims, relation)?.judgement).toBe(judgement);
});

test("one of two related claims alone is held against none", () => {
  const alone = ["requestsPerSecond", "outputTokensPerSecond", "tokensPerSecondPerGpu", "tpotMs"];
  for (const key of alone) {
    expect(judgeClaims({ plan: { ...plan, claims: { [key]: 2 } }, estimate })).toHaveLength(1);
  }
});

test("leaning on an assumed batch it tells which would do", () => {
  expect(judged({ ...two, tpotMs: 60 }, "inFlightArithmetic", ["workload.batch"])).toMatchObject({
    judgement: "untestable",
    needs: [{ what: "workload.batch", relation: "at least", value: 12 }],
  });
});

test("the check names the claim's place", () => {
  const { diagnostics } = inspect({ ...plan, claims: { ...two, tpotMs: 60 } });
  const refuted = diagnostics.find(({ code }) => code === "claim-refuted");
  expect(refuted?.path).toEqual(["claims", "tpotMs"]);
});
