// Series with a known truth and a known memory.

import type { RandomSource } from "../../src/seeded_random.ts";

/** x₀ ~ N(0, 1), xᵢ₊₁ = memory · xᵢ + √(1 − memory²) · N(0, 1): mean and median 0, variance 1. */
export function autoregressive(count: number, memory: number, random: RandomSource): number[] {
  const values = [normal(random)];
  while (values.length < count) {
    values.push(memory * (values.at(-1) ?? 0) + Math.sqrt(1 - memory ** 2) * normal(random));
  }
  return values;
}

/** By Box and Muller. */
export function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
