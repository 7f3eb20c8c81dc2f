// Shares of a bound that lie above it: nothing can be, so that such a figure says that something else is wrong.

import { isOverBound } from "./bound_share.ts";
import type { Figure } from "./figure.ts";
import type { KernelMetrics } from "./roofline.ts";
import type { Utilization } from "./utilization.ts";

/** A figure that contradicts what it is held against. */
export interface OverBound {
  /** Such as `MFU`. */
  readonly name: string;
  readonly found: Figure;
  /** What is likely wrong, in a phrase. */
  readonly cause: string;
  /** Of the whole step, whose work and time are both known: no run that did all its work can have it. */
  readonly isOfStep: boolean;
}

/**
 * Those that are over their bound by more than their interval. Bandwidth may be where operands come from caches, and
 * a kernel where its work is an expectation.
 *
 * @param streamedShare of the step's bytes, those of kernels that move too much at a time for caches
 */
export function overBound(
  { busy, mfu, hfu, bandwidth }: Utilization,
  kernels: readonly KernelMetrics[],
  streamedShare: number,
): OverBound[] {
  return [
    ...ofStep("busy", busy, "the clock of a GPU is mapped to the host's wrongly"),
    ...ofStep("MFU", mfu, lostWork),
    ...ofStep("HFU", hfu, lostWork),
    ...ofStep("bandwidth", bandwidth && partOf(bandwidth, streamedShare), lostWork),
    ...kernels.flatMap(({ kernel, variant, shape, bound }) => {
      if (bound === undefined || bound.inCaches === true || isExpectation(shape)) return [];
      if (!isOverBound(bound.reached)) return [];
      const [shader = kernel] = variant?.split(" ", 1) ?? [];
      const name = `the share that ${shader} reaches of its bound`;
      return [{ name, found: bound.reached, cause: coarseClock, isOfStep: false }];
    }),
  ];
}

const lostWork = "its peak was measured too low, or steps left out a part of their work";
const coarseClock = "its peak was measured too low, or the GPU's clock is too coarse for it";

function ofStep(name: string, found: Figure | undefined, cause: string): OverBound[] {
  return found !== undefined && isOverBound(found) ? [{ name, found, cause, isOfStep: true }] : [];
}

function partOf({ interval, ...figure }: Figure, share: number): Figure {
  return {
    ...figure,
    value: figure.value * share,
    ...(interval === undefined ? {} : { interval: [interval[0] * share, interval[1] * share] }),
  };
}

/** Such as the rows that a balanced router sends an expert. */
function isExpectation(shape: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(shape).some((size) => size.startsWith("expected"));
}
