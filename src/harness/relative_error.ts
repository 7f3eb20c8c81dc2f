/**
 * Values of f32 this small have lost one rounding by the time that a driver has taken what is below the
 * smallest normal number, 2⁻¹²⁶, for 0: 2⁻¹²⁶ over f32's epsilon of 2⁻²⁴.
 */
const smallestScale = 2 ** -102;

/**
 * Largest |actual - expected| over largest |expected|, or over 1 where everything expected is 0. What is
 * expected below 2⁻¹⁰² counts as that: f32 cannot carry such results through products, whoever computes.
 * NaN or a missing value anywhere gives Infinity.
 */
export const relativeError = (actual: Float64Array, expected: Float64Array): number => {
  let difference = 0;
  let scale = 0;
  if (actual.length !== expected.length) return Infinity;
  for (const [i, value] of expected.entries()) {
    const error = Math.abs(value - (actual[i] ?? Number.NaN));
    if (Number.isNaN(error)) return Infinity;
    difference = Math.max(difference, error);
    scale = Math.max(scale, Math.abs(value));
  }
  return difference / (scale === 0 ? 1 : Math.max(scale, smallestScale));
};
