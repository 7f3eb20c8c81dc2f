// How much a series remembers: steps that follow each other share the machine's mood, so that a hundred of them may
// say no more than ten.

import { ascending } from "./statistics.ts";

/**
 * Most that is reckoned with: a series that remembers more has hardly begun to scatter, and no interval from it
 * alone would hold.
 */
const most = 0.95;
/** Standard errors of a two-sided 95 % interval. */
const errors = 1.96;

/** Places 0 … n − 1 in ascending order; equal values share the mean of theirs. @param sorted the values, ascending */
export function ranksOf(values: readonly number[], sorted: Float64Array): Float64Array {
  return Float64Array.from(values, (value) => {
    const below = countWhile(sorted, (other) => other < value);
    const upTo = countWhile(sorted, (other) => other <= value);
    return (below + upTo - 1) / 2;
  });
}

/** How many values from the first on a condition holds for, which holds for none after one that it does not hold for. */
export function countWhile(sorted: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle] ?? Number.NaN)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of neighbours, −1 … 1: by ranks, so that a single outlier does not hide it. 0 where all values are equal. */
export function rankAutocorrelation(values: readonly number[], sorted = ascending(values)): number {
  const center = (values.length - 1) / 2;
  let products = 0;
  let squares = 0;
  let before: number | undefined;
  for (const rank of ranksOf(values, sorted)) {
    const off = rank - center;
    squares += off * off;
    if (before !== undefined) products += off * before;
    before = off;
  }
  return squares === 0 ? 0 : products / squares;
}

/**
 * The upper end of the 95 % interval of the autocorrelation of neighbours, 0 … 0.95.
 *
 * Of n values around their own mean it comes out too low by (1 + 4ρ) / n on average (Marriott & Pope 1954), which
 * right first; its standard error is √((1 − ρ²) / n) (Bartlett 1946).
 */
export function greatestAutocorrelation(
  values: readonly number[],
  sorted = ascending(values),
): number {
  const count = values.length;
  if (count <= 4) return most;
  const found = (rankAutocorrelation(values, sorted) + 1 / count) / (1 - 4 / count);
  const error = Math.sqrt(Math.max(0, 1 - found * found) / count);
  return Math.min(most, Math.max(0, found + errors * error));
}
