// Of a vector that is divided by its root mean square, or by its deviation from its mean.

import { dot } from "../tensor.ts";

export interface NormGradient {
  /** What the gain is multiplied with. */
  readonly normalized: Float64Array;
  readonly x: Float64Array;
}

/**
 * Of x̂ = (x − mean) / √(mean of squares + ε), with s = 1 / that root: dx = s · (dy − mean(dy) − x̂ · mean(dy · x̂)). Means
 * of x and of dy only where x is centered (Ba et al., Layer Normalization, 2016); else it is an RMS norm (Zhang and
 * Sennrich, Root Mean Square Layer Normalization, 2019).
 *
 * @param dy of x̂, before any gain
 */
export function normGradient(
  x: Float64Array,
  dy: Float64Array,
  { isCentered, epsilon }: { readonly isCentered: boolean; readonly epsilon: number },
): NormGradient {
  const centered = isCentered ? withoutMean(x) : x;
  const scale = 1 / Math.sqrt(dot(centered, centered) / x.length + epsilon);
  const normalized = centered.map((value) => scale * value);
  const along = dot(dy, normalized) / x.length;
  const across = isCentered ? withoutMean(dy) : dy;
  return { normalized, x: across.map((value, i) => scale * (value - along * normalized[i]!)) };
}

function withoutMean(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
