// Results of kernels against a reference, as far as rounding lets them differ.

import type { Expected } from "./tolerance.ts";

/** Of sums of so many terms, none of whose parts is larger than `size`. Default: the largest value. */
export function near(values: Float64Array, terms: number, size?: number): Expected {
  const largest = size ?? values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { values, magnitudes: values.map(() => largest), terms };
}
