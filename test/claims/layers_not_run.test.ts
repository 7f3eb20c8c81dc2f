// What is counted as another layer than it is, or in another precision, refutes nothing.

import { expect, test } from "vitest";
import { judgeClaims } from "../../src/claims/judge.ts";
import type { Verdict } from "../../src/claims/verdict.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { withDegrees } from "../plan/checked.ts";

/** Far beyond the peak, in far less memory than the weights take. */
const claims = { tokensPerSecond: 1e12, memoryUtilization: 1e-6 };

function verdictsOn(
  model: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, Verdict> {
  const written = withDegrees({
    hardware: { peakFlops: 1e12, memoryPerGpu: "1GB" },
    workload: { sequence: 64 },
    model,
    claims,
    ...more,
  });
  const { plan, diagnostics } = parsePlan(JSON.stringify(written), "plan.json");
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  const verdicts = judgeClaims({ plan, estimate: estimatePlan(plan) });
  return Object.fromEntries(verdicts.map((verdict) => [verdict.claim, verdict]));
}

const indexer = (topK: number) => ({ sparseAttention: { heads: 2, headDim: 8, topK } });

test.each([{}, indexer(64)])("control: with %o both are refuted", (model) => {
  expect(verdictsOn(model)).toMatchObject({
    tokensPerSecond: { judgement: "refuted" },
    memoryUtilization: { judgement: "refuted" },
  });
});

test("Mamba-2 is counted as attention, and so neither work nor memory is known", () => {
  const otherMixers = [{ layers: [0], parameters: 64, kind: "Mamba-2" }];
  expect(verdictsOn({ otherMixers })).toMatchObject({
    tokensPerSecond: {
      judgement: "untestable",
      reason: expect.stringContaining("leans on Mamba-2 in 1 layers: 0"),
    },
    memoryUtilization: { judgement: "untestable" },
  });
});

test("attention to chosen tokens is counted as to all, and takes no less memory", () => {
  expect(verdictsOn(indexer(63))).toMatchObject({
    tokensPerSecond: {
      judgement: "untestable",
      reason: expect.stringContaining("an indexer that chooses 63 of 64 tokens"),
    },
    memoryUtilization: { judgement: "refuted" },
  });
});

test("mixed precision that no dtype names leaves peak and memory open", () => {
  expect(verdictsOn({}, { optimizations: ["mixed-precision"] })).toMatchObject({
    tokensPerSecond: {
      judgement: "untestable",
      reason: expect.stringContaining("what mixed precision has in 16 bits"),
    },
    memoryUtilization: {
      judgement: "untestable",
      reason: expect.stringContaining("what mixed precision has in 16 bits"),
    },
  });
});
