// How samples become a figure.

import type { Figure, Unit } from "./figure.ts";
import { type Margins, NO_MARGINS, widened } from "./margin.ts";
import type { Interval } from "./median_interval.ts";
import { runsInterval } from "./runs_interval.ts";
import { median } from "./statistics.ts";

/** What all figures of one result have in common. */
export interface Conditions {
  readonly provenance: "measured" | "projected";
  readonly conditions: readonly string[];
  /** What samples cannot show. Default: nothing. */
  readonly margins?: Margins;
}

/** Values in order of time, by the run that they were taken in. */
export type ByRun = readonly (readonly number[])[];

/** One value per sample, less those without; a run in which no sample has one is left out. */
export function byRun<Sample extends { readonly run: number }>(
  samples: readonly Sample[],
  valueOf: (sample: Sample) => number | undefined,
): ByRun {
  const runs = new Map<number, number[]>();
  for (const sample of samples) {
    const value = valueOf(sample);
    if (value === undefined) continue;
    const own = runs.get(sample.run) ?? [];
    runs.set(sample.run, own);
    own.push(value);
  }
  return [...runs.values()];
}

/**
 * Median and 95 % interval of one value per step; absent without values. Of several runs each run's median is one
 * observation, and the figure is the median of these. The interval is of what such runs find, and so holds margins for
 * what these cannot show.
 */
export function figureOf(
  values: ByRun,
  unit: Unit,
  { provenance, conditions, margins = NO_MARGINS }: Conditions,
  ...more: readonly string[]
): Figure | undefined {
  const runs = values.filter((own) => own.length > 0);
  if (runs.length === 0) return undefined;
  const interval = runsInterval(runs);
  // Load is one reason why runs differ. The larger of both alone was found to miss one run in twelve beside load.
  const alone = runs.length === 1 ? margins.alone : 0;
  const clocks = unit === "ms" ? 0 : margins.clockShare;
  const margin = (1 + alone) * (1 + margins.load) * (1 + margins.drift) * (1 + clocks) - 1;
  return {
    value: median(runs.map(median)),
    unit,
    samples: runs.reduce((sum, own) => sum + own.length, 0),
    ...(runs.length === 1 ? {} : { runs: runs.length }),
    ...(interval === undefined
      ? {}
      : { interval: within(unit, interval, margin, margins.clockMs) }),
    ...(interval === undefined || margin === 0 ? {} : { margin }),
    provenance,
    conditions: [...conditions, ...more],
  };
}

/** A share that no sample saw above 1 is not above 1 for the margin's sake. */
function within(unit: Unit, interval: Interval, margin: number, clockMs: number): Interval {
  const [low, high] = widened(interval, margin);
  if (unit === "ms") return [Math.max(Math.min(low, 0), low - clockMs), high + clockMs];
  return unit === "share" ? [low, Math.min(high, Math.max(1, interval[1]))] : [low, high];
}

/** A count that was read in one step and is the same in each, as inputs and weights are. */
export function exact(value: number, unit: Unit): Figure {
  return {
    value,
    unit,
    samples: 1,
    provenance: "measured",
    conditions: [],
  };
}
