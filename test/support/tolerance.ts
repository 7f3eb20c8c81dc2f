// How far a kernel may be from the f64 result: what f32 arithmetic and the storage type can lose.

import type { StorageType } from "../../src/kernels/storage.ts";

/** Half a unit in the last place, relative. */
const rounding = { f32: 2 ** -24, f16: 2 ** -11 } as const;

/** Half the distance between neighbours next to zero; adapters may flush f32 below 2⁻¹²⁶ to zero. */
const smallest = { f32: 2 ** -126, f16: 2 ** -25 } as const;

export interface Expected {
  readonly values: Float64Array;
  /** Per element Σ |term| of the sum that makes it: what cancellation cannot make smaller. */
  readonly magnitudes: Float64Array;
  /** Terms of that sum. */
  readonly terms: number;
}

/**
 * One line for each element that is too far off, so that a test expects none.
 *
 * Errors of a sum of n terms behave like a random walk, √n roundings of its magnitude; the factor 4 and the
 * 4 extra terms leave room for unlucky signs and for what an activation adds.
 *
 * @param arithmetic in which the sums are made
 */
export function outOfTolerance(
  actual: Float64Array,
  { values, magnitudes, terms }: Expected,
  dtype: StorageType,
  arithmetic: StorageType = "f32",
): string[] {
  if (actual.length !== values.length) {
    return [`${actual.length} elements, expected ${values.length}`];
  }
  return [...values.entries()].flatMap(([index, value]) => {
    const error = Math.abs((actual[index] ?? Number.NaN) - value);
    const lost = 4 * (Math.sqrt(terms) + 4) * rounding[arithmetic] * (magnitudes[index] ?? 0);
    const allowed = lost + 1.01 * rounding[dtype] * Math.abs(value) + smallest[dtype];
    // NaN fails every comparison.
    if (error <= allowed) return [];
    return [`${index}: ${actual[index]}, expected ${value}; off by ${error}, allowed ${allowed}`];
  });
}
