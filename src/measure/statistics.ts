// Robust statistics of a handful of timings.

/** Ten standard deviations of a normal distribution, in units of MAD. */
const OUTLIER_MADS = 14.826;

/** In ascending order. */
export function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).toSorted();
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  return medianOfSorted(ascending(values));
}

/** Of at least one value in ascending order. */
export function medianOfSorted(sorted: Float64Array): number {
  const upper = sorted[sorted.length >> 1];
  if (upper === undefined) throw new RangeError("the median of no values does not exist");
  if (sorted.length % 2 === 1) return upper;
  return (upper + (sorted[(sorted.length >> 1) - 1] ?? upper)) / 2;
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the mean of no values does not exist");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the values themselves, not of a population they were drawn from. */
export function variance(values: readonly number[]): number {
  const center = mean(values);
  return mean(values.map((value) => (value - center) ** 2));
}

/** Nearest-rank percentile, 0 < p < 100; absent with fewer than ceil(1 / (1 - p/100)) · 5 samples. */
export function percentile(values: readonly number[], p: number): number | undefined {
  // 1 / (1 - 0.9) is a little over 10 in binary; whole percents keep the limit where it belongs.
  const needed = Math.ceil(100 / (100 - p)) * 5;
  if (values.length < needed) return undefined;
  return nearestRank(ascending(values), p);
}

/** Of at least one value in ascending order. */
export function nearestRank(sorted: Float64Array, p: number): number {
  const index = Math.min(sorted.length - 1, Math.ceil((sorted.length * p) / 100) - 1);
  return sorted[Math.max(0, index)] ?? Number.NaN;
}

/** Indices of values further from the median than 14.826 MAD; none where half of the values are equal. */
export function outliers(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const center = median(values);
  const mad = median(values.map((value) => Math.abs(value - center)));
  if (mad === 0) return [];
  return values.flatMap((value, i) => (Math.abs(value - center) / mad > OUTLIER_MADS ? [i] : []));
}
