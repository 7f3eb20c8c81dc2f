// The error model of every check on elements: what storing and adding up may lose, and no more.
//
// - Stored: |ŷ - y| ≤ u·|y|, u half a unit in the last place; next to zero half the smallest number
//   (N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., theorem 2.2).
// - A sum of n terms: λ·√n·u times what its partial sums reach. Roundings are a random walk (Higham and Mary,
//   A New Approach to Probabilistic Rounding Error Analysis, SIAM J. Sci. Comput. 41, 2019, theorem 2.4); terms of
//   random sign make partial sums of √Σt² instead of Σ|t| (Higham and Mary, Sharper Probabilistic Backward Error
//   Analysis …, SIAM J. Sci. Comput. 42, 2020). Whatever the order, they end at the sum itself.

import type { StorageType } from "../kernels/storage.ts";

/** Half a unit in the last place, relative; a hundredth more for adapters that round ties their own way. */
export const unitRoundoff: Readonly<Record<StorageType, number>> = {
  f32: 2 ** -24,
  f16: 1.01 * 2 ** -11,
};

/** Half the distance between neighbours next to zero; adapters may flush f32 below 2⁻¹²⁶ to zero. */
export const smallestError: Readonly<Record<StorageType, number>> = {
  f32: 2 ** -126,
  f16: 2 ** -25,
};

/** λ: at 8, a right sum exceeds the bound once in 10¹³. */
const deviations = 8;

/** What storing a result may lose. */
export function storedError(value: number, dtype: StorageType): number {
  return unitRoundoff[dtype] * Math.abs(value) + smallestError[dtype];
}

/**
 * What adding up may lose.
 *
 * @param squares sum of the squares of the terms
 * @param sum of the terms
 */
export function sumError(
  terms: number,
  squares: number,
  sum: number,
  arithmetic: StorageType = "f32",
): number {
  return (
    deviations * Math.sqrt(terms) * unitRoundoff[arithmetic] * (Math.sqrt(squares) + Math.abs(sum))
  );
}
