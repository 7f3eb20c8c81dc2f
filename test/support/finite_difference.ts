// Gradients by central differences, to hold rules of the backward pass against.

/** df/dx at every element of x, each from two values of f; f must not keep x. */
export function centralDifference(
  f: (x: Float64Array) => number,
  x: Float64Array,
  step = 1e-5,
): Float64Array {
  return x.map((value, i) => {
    const at = (moved: number): number => {
      const other = x.slice();
      other[i] = moved;
      return f(other);
    };
    return (at(value + step) - at(value - step)) / (2 * step);
  });
}

/** Largest difference of two gradients in shares of the largest element of either. */
export function gradientError(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Infinity;
  let [difference, largest] = [0, Number.MIN_VALUE];
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? Number.NaN;
    if (Number.isNaN(value - other)) return Infinity;
    difference = Math.max(difference, Math.abs(value - other));
    largest = Math.max(largest, Math.abs(value), Math.abs(other));
  }
  return difference / largest;
}

/** What differences of a step of 1e-5 can tell in f64, with room. */
export const differenceError = 1e-8;

/** Σ weight · value: a loss whose gradient is the weights. */
export function weightedSum(values: Float64Array, weights: Float64Array): number {
  return values.reduce((sum, value, i) => sum + value * (weights[i] ?? Number.NaN), 0);
}
