// Whether a second measurement of the same work took less time than a first, by what both leave open.

import type { Figure } from "./figure.ts";
import type { KernelMetrics, Metrics } from "./metrics.ts";
import { workKey } from "../program/kernel_work.ts";

/** `ambiguous`: the intervals leave open which of them took longer, or do not exist. */
export type Change = "faster" | "slower" | "same" | "ambiguous";

export interface Difference {
  readonly before: Figure;
  readonly after: Figure;
  /** After ÷ before. */
  readonly ratio: number;
  /** 95 % of both: what one has at least over what the other has at most. Absent where one has no interval. */
  readonly interval?: readonly [low: number, high: number];
  readonly change: Change;
}

export interface DifferenceOfPart extends Difference {
  readonly name: string;
  /** ms of all ranks that a step has more of; negative where it has less. */
  readonly moreMs: number;
}

/** Relative: times that differ by less are the same. */
export const sameWithin = 0.05;

/** Of two times. */
export function timeDifference(before: Figure, after: Figure): Difference {
  const ratio = after.value / before.value;
  if (before.interval === undefined || after.interval === undefined || before.value <= 0) {
    return { before, after, ratio, change: "ambiguous" };
  }
  const interval = [
    after.interval[0] / before.interval[1],
    after.interval[1] / before.interval[0],
  ] as const;
  return { before, after, ratio, interval, change: changeOf(interval) };
}

function changeOf([low, high]: readonly [number, number]): Change {
  if (low >= 1 / (1 + sameWithin) && high <= 1 + sameWithin) return "same";
  if (high < 1) return "faster";
  return low > 1 ? "slower" : "ambiguous";
}

/** Kernels that both have, those whose time differs most first. */
export function kernelDifferences(before: Metrics, after: Metrics): DifferenceOfPart[] {
  const keyOf = (kernel: KernelMetrics): string => `${kernel.adapter} ${workKey(kernel)}`;
  const others = new Map(after.kernels.map((kernel) => [keyOf(kernel), kernel]));
  return byMore(
    before.kernels.flatMap((kernel) => {
      const other = others.get(keyOf(kernel));
      if (other === undefined) return [];
      const difference = timeDifference(kernel.callMs, other.callMs);
      const shape = Object.entries(kernel.shape).map(([name, value]) => `${name} ${textOf(value)}`);
      return [
        {
          ...difference,
          name: `${nameOf(kernel, other)} (${shape.join(", ")})`,
          moreMs: kernel.uses * (other.callMs.value - kernel.callMs.value),
        },
      ];
    }),
  );
}

/** Both variants where they differ. */
function nameOf({ kernel, variant = kernel }: KernelMetrics, other: KernelMetrics): string {
  const then = other.variant ?? kernel;
  return variant === then ? variant : `${variant}, then ${then}`;
}

/** Layers' collectives, as far as nothing was computed meanwhile. */
export function communicationDifferences(before: Metrics, after: Metrics): DifferenceOfPart[] {
  return byMore(
    before.communication.flatMap(({ layer, exposedMs }) => {
      const other = after.communication.find((each) => each.layer === layer);
      if (other === undefined) return [];
      return [
        {
          ...timeDifference(exposedMs, other.exposedMs),
          name: layer,
          moreMs: other.exposedMs.value - exposedMs.value,
        },
      ];
    }),
  );
}

function byMore(parts: readonly DifferenceOfPart[]): DifferenceOfPart[] {
  return parts.toSorted((a, b) => Math.abs(b.moreMs) - Math.abs(a.moreMs));
}

/** Of a size or a choice of a kernel's shape. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, own]: [string, unknown]) => `${name} ${textOf(own)}`)
    .join("/");
}
