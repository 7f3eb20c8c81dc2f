// How samples become a figure.

import type { Figure, Unit } from "./figure.ts";
import { medianInterval } from "./median_interval.ts";
import { median, type RandomSource } from "./statistics.ts";

/** What all figures of one run have in common. */
export interface Conditions {
  readonly provenance: "measured" | "projected";
  readonly conditions: readonly string[];
  readonly random: RandomSource;
}

/** Median and 95 % interval of one value per step; absent without values. */
export const figureOf = (
  values: readonly number[],
  unit: Unit,
  { provenance, conditions, random }: Conditions,
  ...more: readonly string[]
): Figure | undefined => {
  if (values.length === 0) return undefined;
  const interval = medianInterval(values, random);
  return {
    value: median(values),
    unit,
    samples: values.length,
    ...(interval === undefined ? {} : { interval }),
    provenance,
    conditions: [...conditions, ...more],
  };
};

/** A count that was read in one step and is the same in each, as inputs and weights are. */
export const exact = (value: number, unit: Unit): Figure => ({
  value,
  unit,
  samples: 1,
  provenance: "measured",
  conditions: [],
});
