// One dimension in which a plan can be made smaller, and what becomes of the plan then.

import type { PlanFile } from "../schema.ts";

export interface Dimension {
  /** As reports and result files name it. */
  readonly name: string;
  /** Undefined where the plan has no such dimension, or where it cannot go without changing another meaning. */
  readonly full: (file: PlanFile) => number | undefined;
  /** The least that keeps what the plan is about: each kind of block, each split, the router's choice. */
  readonly least: (file: PlanFile) => number;
  /** The plan with the largest legal size up to `size`, and no less than `least`. Sizes from `full` on change nothing. */
  readonly reduce: (file: PlanFile, size: number) => PlanFile;
  /** What a time per layer loses by it; absent where kernels and transfers of each rank stay as they are. */
  readonly changesLayers?: string;
}

/**
 * Sizes to try, the largest first: all of them where they are few, else in steps of a 64th of `full`, and below that by
 * a quarter each.
 */
export function sizesDown(full: number, least: number): number[] {
  const steps = Math.min(full, 64);
  const sizes = Array.from({ length: steps }, (_, i) => Math.floor((full * (steps - i)) / steps));
  for (let size = sizes.at(-1) ?? full; size > least; size = Math.floor(size * 0.75)) {
    sizes.push(size);
  }
  return [...new Set([...sizes.filter((size) => size > least), least])];
}

/** The largest multiple of `unit` up to `size`, and at least one. */
export function multipleDown(size: number, unit: number): number {
  return Math.max(1, Math.floor(size / unit)) * unit;
}

/** The largest number up to `size` that divides `whole`. */
export function divisorDown(whole: number, size: number): number {
  for (let divisor = Math.min(whole, Math.floor(size)); divisor > 1; divisor -= 1) {
    if (whole % divisor === 0) return divisor;
  }
  return 1;
}

export function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
