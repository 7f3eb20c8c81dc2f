// A share of what is possible at most.

import type { Figure } from "./figure.ts";

/** The whole interval lies above the bound; without one, the value. */
export function isOverBound({ value, interval }: Figure): boolean {
  return (interval?.[0] ?? value) > 1;
}

/** Its interval ends at the bound, unless the share itself lies above it. */
export function upToBound(share: Figure): Figure {
  if (share.interval === undefined) return share;
  const [low, high] = share.interval;
  return { ...share, interval: [low, Math.min(high, Math.max(1, share.value))] };
}
