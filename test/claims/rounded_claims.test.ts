// Figures are published rounded: two claims that differ by no more than their digits leave open do not contradict each
// other, and do not confirm each other.

import { expect, test } from "vitest";
import { roundingOf } from "../../src/claims/rounding.ts";
import type { Claims } from "../../src/plan/plan.ts";
import { verdictOn } from "../support/given.ts";
import { planOf } from "../support/written_plan.ts";

test.each([
  [3.1, 0.05 / 3.1],
  [0.91, 0.005 / 0.91],
  // 66.1 / 100, as it is read from a percentage.
  [0.6609999999999999, 0.0005 / 0.661],
  [0.5, 0.005 / 0.5],
  [5, 0.005 / 5],
  [12, 0.05 / 12],
  [100, 0.5 / 100],
  [13_000, 50 / 13_000],
  [319_488, 0.5 / 319_488],
  [7.5 * 2 ** 30, 0.05 / 7.5],
  [0, 0],
])("%d was rounded by %d of it at most", (value, rounding) => {
  expect(roundingOf(value)).toBeCloseTo(rounding, 9);
});

function judged(claims: Claims, relation: string, hardware = "memoryPerGpu: 80GB") {
  const plan = planOf(`
name: rounded
hardware: { gpus: 1, ${hardware} }
workload: { batch: 1, sequence: 2048, dtype: f16 }
model: { layers: 2, hidden: 64, heads: 4 }
`);
  return verdictOn({ ...plan, claims }, relation)?.judgement;
}

test.each([
  [6349, "confirmed"],
  [6300, "ambiguous"],
  [6200, "refuted"],
])("3.1 samples/s of 2048 tokens beside %d tokens/s: %s", (tokensPerSecond, judgement) => {
  expect(judged({ samplesPerSecond: 3.1, tokensPerSecond }, "tokenArithmetic")).toBe(judgement);
});

test.each([
  [0.91, 7.2e9, "confirmed"],
  [0.91, 7.5e9, "ambiguous"],
  [0.906, 7.5e9, "confirmed"],
  [0.91, 8.1e9, "refuted"],
])("%d of 80 GB used beside %d bytes left: %s", (memoryUtilization, left, judgement) => {
  const claims = { memoryUtilization, memoryAvailable: left };
  expect(judged(claims, "memoryArithmetic")).toBe(judgement);
});

test("a driver may report more memory than a datasheet prints", () => {
  const claims = { memoryUtilization: 0.9, memoryAvailable: 8.8e9 };
  expect(judged(claims, "memoryArithmetic", "gpu: H100-SXM")).toBe("ambiguous");
  expect(judged(claims, "memoryArithmetic", "memoryPerGpu: 80GB")).toBe("refuted");
});
