import { describe, expect, test } from "vitest";
import { adamwStep, clipFactor, globalNorm, sgdStep } from "../../src/reference/optimizers.ts";

describe("AdamW", () => {
  const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.75, epsilon: 0.5, weightDecay: 0.2 };

  test("two steps by hand", () => {
    const weights = Float64Array.of(1, -2);
    const moments = { first: new Float64Array(2), second: new Float64Array(2) };
    adamwStep(weights, Float64Array.of(2, 0), moments, 1, options);
    // Corrected, the first moments are the gradient and its square: 2 / (2 + ½) = 0.8; and 0.2 of the weight.
    expect(weights[0]).toBeCloseTo(1 - 0.1 * (0.8 + 0.2), 14);
    expect(weights[1]).toBeCloseTo(-2 - 0.1 * (0 - 0.4), 14);
    expect(moments.first[0]).toBeCloseTo(0.2, 14);
    expect(moments.second[0]).toBeCloseTo(1, 14);
    adamwStep(weights, Float64Array.of(-1, 3), moments, 2, options);
    // 0.18 - 0.1 = 0.08 over 1 - 0.81; 0.75 + 0.25 = 1 over 1 - 0.5625.
    expect(weights[0]).toBeCloseTo(
      0.9 - 0.1 * (0.08 / 0.19 / (Math.sqrt(16 / 7) + 0.5) + 0.18),
      14,
    );
    // 0.3 over 0.19; 2.25 over 0.4375.
    const update = 0.3 / 0.19 / (Math.sqrt(36 / 7) + 0.5);
    expect(weights[1]).toBeCloseTo(-1.96 - 0.1 * (update - 0.392), 14);
  });

  test("decay does not go through the moments", () => {
    const weights = Float64Array.of(3);
    const moments = { first: new Float64Array(1), second: new Float64Array(1) };
    adamwStep(weights, Float64Array.of(0), moments, 1, options);
    expect(weights[0]).toBeCloseTo(3 * (1 - 0.1 * 0.2), 14);
    expect([...moments.first, ...moments.second]).toEqual([0, 0]);
  });
});

test("SGD by hand: velocity first, then the weights", () => {
  const weights = Float64Array.of(1);
  const velocity = new Float64Array(1);
  const options = { learningRate: 0.5, momentum: 0.75, weightDecay: 0.25 };
  sgdStep(weights, Float64Array.of(2), velocity, options);
  expect([velocity[0], weights[0]]).toEqual([2.25, -0.125]);
  sgdStep(weights, Float64Array.of(-1), velocity, options);
  // 0.75 · 2.25 - 1 - 0.25 · 0.125.
  expect([velocity[0], weights[0]]).toEqual([0.65625, -0.453125]);
});

test("the norm is of all tensors together", () => {
  expect(globalNorm([Float64Array.of(2, -3), Float64Array.of(6)])).toBe(7);
  expect(globalNorm([])).toBe(0);
});

test("gradients are clipped above the largest norm, and only there", () => {
  expect(clipFactor(0.5, 1)).toBe(1);
  expect(clipFactor(1 - 1e-6, 1)).toBe(1);
  expect(clipFactor(1, 1)).toBe(1 / (1 + 1e-6));
  expect(clipFactor(8, 2)).toBe(2 / (8 + 1e-6));
});
