// The link model: a transfer takes α + bytes / β.

export interface LinkModel {
  /** α, ms: what a transfer of no bytes takes. */
  readonly latencyMs: number;
  /** β, bytes per second. Absent where more bytes did not take longer. */
  readonly bandwidth?: number;
  /** Median over the points of |fitted − measured| ÷ measured. */
  readonly error: number;
}

export interface LinkPoint {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * Least squares of the relative error, so that small transfers count as much as large ones; α is not
 * negative. Undefined for fewer than two sizes.
 */
export function fitLink(points: readonly LinkPoint[]): LinkModel | undefined {
  if (new Set(points.map(({ bytes }) => bytes)).size < 2) return undefined;
  let [ones, x, xx, y, xy] = [0, 0, 0, 0, 0];
  for (const { bytes, ms } of points) {
    const weight = 1 / ms ** 2;
    ones += weight;
    x += weight * bytes;
    xx += weight * bytes ** 2;
    y += weight * ms;
    xy += weight * bytes * ms;
  }
  const slope = (ones * xy - x * y) / (ones * xx - x ** 2);
  const intercept = (y - slope * x) / ones;
  const [latencyMs, msPerByte] =
    slope < 0 ? [y / ones, 0] : intercept < 0 ? [0, xy / xx] : [intercept, slope];
  const errors = points
    .map(({ bytes, ms }) => Math.abs(latencyMs + msPerByte * bytes - ms) / ms)
    .toSorted((a, b) => a - b);
  return {
    latencyMs,
    ...(msPerByte > 0 ? { bandwidth: 1000 / msPerByte } : {}),
    error: errors[Math.floor((errors.length - 1) / 2)] ?? 0,
  };
}
