// What was measured at some sizes, at any size.

import { median } from "../../measure/statistics.ts";
import { groupBy } from "../../group_by.ts";
import { byKind, type Cost } from "../../program/simulate/cost.ts";

export interface Point {
  readonly size: number;
  readonly value: number;
}

/**
 * Linear between the medians at the two nearest sizes; below the smallest as at it; beyond the largest on the line
 * through the smallest and the largest, or in proportion where one size was measured. Zero of no points.
 */
export function createInterpolation(points: readonly Point[]): (size: number) => number {
  const measured = [...groupBy(points, ({ size }) => size)]
    .map(([size, same]) => ({ size, value: median(same.map(({ value }) => value)) }))
    .toSorted((a, b) => a.size - b.size);
  const [smallest] = measured;
  const largest = measured.at(-1);
  return (size) => {
    if (smallest === undefined || largest === undefined) return 0;
    if (size <= smallest.size) return smallest.value;
    if (size > largest.size) return beyond(smallest, largest, size);
    const at = measured.findIndex((point) => point.size >= size);
    const [below = smallest, above = largest] = [measured[at - 1], measured[at]];
    return between(below, above, size);
  };
}

/** Of each kind of cost, by what it is in proportion to. */
export function timesByKind(
  measured: readonly { readonly sizeOf: (kind: keyof Cost) => number; readonly cost: Cost }[],
): Readonly<Record<keyof Cost, (size: number) => number>> {
  return byKind((kind) =>
    createInterpolation(
      measured.map(({ sizeOf, cost }) => ({ size: sizeOf(kind), value: cost[kind] })),
    ),
  );
}

function beyond(smallest: Point, largest: Point, size: number): number {
  if (smallest.size === largest.size) {
    return largest.size === 0 ? largest.value : (largest.value * size) / largest.size;
  }
  return Math.max(largest.value, between(smallest, largest, size));
}

function between(a: Point, b: Point, size: number): number {
  return a.value + ((b.value - a.value) * (size - a.size)) / (b.size - a.size);
}
