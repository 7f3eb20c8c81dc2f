// Data replicas that do the same are counted once: the figures are those of the whole program.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { kernels } from "../../src/kernels/catalog.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { oneOfAlike } from "../../src/program/symmetry.ts";
import { arbitraryDegrees } from "../support/arbitrary_degrees.ts";
import { comparable, countWhole, rounded } from "../support/count_whole.ts";
import { planOf } from "../support/written_plan.ts";

test("rank by rank and total by total, one set of replicas stands for all", () => {
  let alike = 0;
  fc.assert(
    fc.property(arbitraryDegrees(), (plan) => {
      if (oneOfAlike(plan).copies > 1) alike += 1;
      const whole = countWhole(plan);
      expect(rounded(comparable(estimatePlan(plan), whole))).toEqual(rounded(whole));
    }),
    { numRuns: 150, seed: 1 },
  );
  expect(alike).toBeGreaterThan(50);
});

function large(data: number, parallel = "", model = "", batch = data) {
  return planOf(`
name: large
hardware: { gpus: 16384 }
workload: { batch: ${batch}, sequence: 64, dtype: f16 }
model: { layers: 2, hidden: 64, heads: 4, ffn: 64, vocabulary: 512${model} }
parallel: { data: ${data}${parallel} }
`);
}

describe("how many replicas stand for all", () => {
  test.each([
    ["replicas alone", "", "", 8, 8],
    ["tensor groups", ", tensor: 4", "", 8, 8],
    ["context ranks, which share a sequence", ", context: 4", "", 8, 8],
    ["experts that stay within a replica", ", tensor: 4, expert: 2", ", moe: { experts: 8 }", 8, 8],
    ["experts over two replicas of four", ", tensor: 4, expert: 8", ", moe: { experts: 8 }", 8, 4],
    ["experts over all replicas", ", expert: 8", ", moe: { experts: 8 }", 8, 1],
    [
      "experts over parts of three tensor groups",
      ", tensor: 2, expert: 3",
      ", moe: { experts: 6 }",
      6,
      2,
    ],
  ])("%s", (_name, parallel, model, data, copies) => {
    expect(oneOfAlike(large(data, parallel, model)).copies).toBe(copies);
  });

  test("replicas with unlike numbers of samples stand each for itself", () => {
    expect(oneOfAlike(large(8, "", "", 12)).copies).toBe(1);
  });
});

/** How often the work of a matrix product is asked for while the plan is counted. */
function productsCounted(plan: Plan): number {
  const flops = vi.spyOn(kernels.matmul, "flops");
  estimatePlan(plan);
  const { length } = flops.mock.calls;
  flops.mockRestore();
  return length;
}

test.each([
  ["", ""],
  [", tensor: 2", ""],
  [", tensor: 2, pipeline: 2", ""],
  [", context: 2", ""],
  [", tensor: 2, expert: 8", ", moe: { experts: 8, dense: true }"],
])("4,096 replicas are counted with the work of 64: %s%s", (parallel, model) => {
  // Of fewer, the unsharded run has too few rows for as many windows of logits.
  const few = productsCounted(large(64, parallel, model));
  expect(few).toBeGreaterThan(0);
  expect(productsCounted(large(4096, parallel, model))).toBe(few);
});
