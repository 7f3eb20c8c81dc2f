// How far a kernel may be from the f64 result: what f32 arithmetic and the storage type can lose.

import { expect } from "vitest";
import type { StorageType } from "../../src/kernels/storage.ts";

/** Half a unit in the last place, relative. */
const rounding = { f32: 2 ** -24, f16: 2 ** -11 } as const;

/** Half the distance between neighbours next to zero. */
const smallest = { f32: 0, f16: 2 ** -25 } as const;

export interface Expected {
  readonly values: Float64Array;
  /** Per element Σ |term| of the sum that makes it: what cancellation cannot make smaller. */
  readonly magnitudes: Float64Array;
  /** Terms of that sum. */
  readonly terms: number;
}

/**
 * Errors of a sum of n terms behave like a random walk, √n roundings of its magnitude; the factor 4 and the
 * 4 extra terms leave room for unlucky signs and for what an activation adds.
 */
export function expectClose(actual: Float64Array, expected: Expected, dtype: StorageType): void {
  const { values, magnitudes, terms } = expected;
  expect(actual.length).toBe(values.length);
  let worst = { index: -1, error: 0, bound: 0, ratio: 0 };
  for (const [index, value] of values.entries()) {
    const error = Math.abs((actual[index] ?? Number.NaN) - value);
    const arithmetic = 4 * (Math.sqrt(terms) + 4) * rounding.f32 * (magnitudes[index] ?? 0);
    const bound = arithmetic + 1.01 * rounding[dtype] * Math.abs(value) + smallest[dtype] + 1e-37;
    const ratio = error / bound;
    if (!(ratio <= worst.ratio)) worst = { index, error, bound, ratio };
  }
  const { index, error, bound } = worst;
  const message = `element ${index}: ${actual[index]} should be ${values[index]}; off by ${error}, allowed ${bound}`;
  expect(worst.ratio <= 1, message).toBe(true);
}
