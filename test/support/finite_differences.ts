// Derivatives from values alone.

import { hashSource } from "../../src/program/hash_source.ts";

/** From values at -2, -1, 1 and 2 steps: off by step⁴ times the fifth derivative. */
export function slopeOf([a, b, c, d]: readonly number[], step: number): number {
  return (8 * (c! - b!) - (d! - a!)) / (12 * step);
}

export const steps = [-2, -1, 1, 2] as const;

/**
 * Largest difference of a gradient from the slopes of f at x, relative to the largest of them.
 *
 * @throws Error where slopes are too small to say anything
 */
export function gradientError(
  f: (x: Float64Array) => number,
  x: Float64Array,
  gradient: Float64Array,
  step = 1e-3,
): number {
  const found = x.map((_, i) => {
    const at = (by: number): number => f(x.map((value, j) => (i === j ? value + by : value)));
    return slopeOf(
      steps.map((times) => at(times * step)),
      step,
    );
  });
  const largest = Math.max(...found.map(Math.abs));
  if (!(largest > 1e-3) || gradient.length !== x.length) throw new Error("nothing to compare");
  return Math.max(...found.map((value, i) => Math.abs(value - gradient[i]!))) / largest;
}

/** Uniform in [-1, 1], the same for a name every time. */
export function drawn(name: string, size: number): Float64Array {
  const content = { kind: "uniform", tensor: name, center: 0, scale: 1 } as const;
  return hashSource(3).values({ ...content, shape: [size], offset: [0], size: [size] }, 0, 1);
}
