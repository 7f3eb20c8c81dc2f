// What a technique is worth, from steps of programs in turn.

import { expect, test } from "vitest";
import { type AblatedCost, pairEffect, techniqueEffect } from "../../src/measure/ablation.ts";

/** Steps of about `ms`, with the same course over the rounds as all others. */
function cost(ms: number, changes: Partial<AblatedCost> = {}): AblatedCost {
  const course = [1, 1.3, 0.9, 2, 1.1, 1, 1.5, 1.2, 0.95];
  return { stepMs: course.map((each) => each * ms), memoryBytes: 100, wireBytes: 50, ...changes };
}

/** Steps that say nothing: each round another way. */
const noisy = cost(10, { stepMs: [5, 20, 9, 11, 4, 25, 10, 8, 14] });

function verdictOf(on: AblatedCost, off: AblatedCost) {
  const { verdict, better, worse } = techniqueEffect(on, off) ?? {};
  return { verdict, better, worse };
}

test("the ratio is that of each round, so that what all steps of a round share cancels", () => {
  const { stepRatio, memoryRatio, wireRatio } = techniqueEffect(cost(8), cost(10)) ?? {};
  expect(stepRatio?.value).toBeCloseTo(0.8);
  expect(stepRatio?.interval?.[1]).toBeLessThan(0.81);
  expect([memoryRatio, wireRatio]).toEqual([1, 1]);
});

test.each([
  ["pays", cost(8), cost(10), ["step"], []],
  ["costs", cost(12), cost(10), [], ["step"]],
  ["nothing", cost(10), cost(10), [], []],
  ["nothing", cost(10.1), cost(10), [], []],
  ["trades", cost(12, { memoryBytes: 60 }), cost(10), ["memory"], ["step"]],
  ["pays", cost(10, { wireBytes: 25 }), cost(10), ["messages"], []],
  ["costs", cost(10, { wireBytes: 1 }), cost(10, { wireBytes: 0 }), [], ["messages"]],
  ["open", noisy, cost(10), [], []],
  // As much as where memory comes to lie makes of equal programs.
  ["open", cost(9.6), cost(10), [], []],
  ["open", cost(10.4), cost(10), [], []],
  ["pays", cost(9.5), cost(10), ["step"], []],
] as const)("%s", (verdict, on, off, better, worse) => {
  expect(verdictOf(on, off)).toEqual({ verdict, better, worse });
});

test("less memory alone does not pay while nobody knows what it costs in time", () => {
  expect(verdictOf({ ...noisy, memoryBytes: 60 }, cost(10))).toEqual({
    verdict: "open",
    better: ["memory"],
    worse: [],
  });
});

test("fewer rounds than an interval takes decide nothing about the step", () => {
  const few = (ms: number): AblatedCost => ({ ...cost(ms), stepMs: [ms, ms, ms, ms] });
  expect(verdictOf(few(1), few(10)).verdict).toBe("open");
});

test("no ratio of bytes where neither program sends any", () => {
  const silent = cost(10, { wireBytes: 0 });
  expect(techniqueEffect(silent, silent)).not.toHaveProperty("wireRatio");
});

test.each([
  ["independent", 8, 0.8 * 5],
  ["help each other", 8, 3],
  ["hinder each other", 8, 6],
] as const)("a pair that is %s", (verdict, one, both) => {
  expect(pairEffect(cost(both), cost(one), cost(5), cost(10))?.verdict).toBe(verdict);
});

test("a pair about which rounds say nothing", () => {
  expect(pairEffect(noisy, cost(8), cost(5), cost(10))?.verdict).toBe("open");
});
