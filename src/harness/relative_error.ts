/**
 * Largest |actual - expected| over largest |expected|, or over 1 where everything expected is 0.
 * NaN or a missing value anywhere gives Infinity.
 */
export function relativeError(actual: Float64Array, expected: Float64Array): number {
  let difference = 0;
  let scale = 0;
  if (actual.length !== expected.length) return Infinity;
  for (const [i, value] of expected.entries()) {
    const error = Math.abs(value - (actual[i] ?? Number.NaN));
    if (Number.isNaN(error)) return Infinity;
    difference = Math.max(difference, error);
    scale = Math.max(scale, Math.abs(value));
  }
  return difference / (scale === 0 ? 1 : scale);
}
