// What an adapter reaches at best, as figures: the denominators of utilization.

import type { Figure, Unit } from "./figure.ts";
import { medianInterval } from "./median_interval.ts";
import { median } from "./statistics.ts";

/** Rates, of which the best run counts. */
export type RateName =
  /** Multiply-adds, each counted as two. */
  | "f32"
  | "f16"
  /** Subgroup matrices. */
  | "matrix"
  /** Kernels on storage buffers; a copied byte counts twice. */
  | "read"
  | "write"
  | "copy"
  /** Loads from memory that a workgroup shares. */
  | "workgroup"
  /** The command that copies between buffers; a copied byte counts twice. */
  | "bufferCopy"
  | "upload"
  | "readback";

/** Costs in ms, of which the median counts. */
export type CostName = "dispatch" | "encode" | "submit" | "roundTrip";

export interface Ceiling {
  /**
   * Of rates the best run, before or after the steps, within an interval from the median of all runs to that one: other load and clocks only
   * ever slow a run down. Of costs the median.
   */
  readonly figure: Figure;
  /** The shader or call that was the fastest. */
  readonly variant: string;
  /** Each run of that variant, in order of time. */
  readonly runs: readonly number[];
  /** What other variants reached at best. */
  readonly others: Readonly<Record<string, number>>;
  /** Of a short measurement before the steps, where `runs` are of an earlier day. */
  readonly before?: readonly number[];
  /** Of a short measurement after the steps of each run. */
  readonly after?: readonly (readonly number[])[];
  /**
   * By how much the best run after some steps differs most from the best before them, as a share of it; absent where
   * it was not measured again.
   */
  readonly change?: number;
}

export type Ceilings = Readonly<Partial<Record<RateName | CostName, Ceiling>>>;

/** As it was measured. */
export type MeasuredCeiling = Pick<Ceiling, "variant" | "runs" | "others" | "before" | "after">;

export type MeasuredCeilings = Readonly<Partial<Record<RateName | CostName, MeasuredCeiling>>>;

export function ceilingsOf(ceilings: MeasuredCeilings): Ceilings {
  const found: Partial<Record<RateName | CostName, Ceiling>> = {};
  for (const [name, measured] of entriesOf(ceilings)) {
    const { variant, runs, others, before, after } = measured;
    const change = changeOf(measured);
    found[name] = {
      figure: isCost(name) ? costFigure(runs) : rateFigure(measured, unitOf(name)),
      variant,
      runs,
      others,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(change === undefined ? {} : { change }),
    };
  }
  return found;
}

function changeOf({ runs, before = runs, after = [] }: MeasuredCeiling): number | undefined {
  const then = Math.max(...before);
  return after
    .map((again) => Math.max(...again) / then - 1)
    .toSorted((a, b) => Math.abs(b) - Math.abs(a))[0];
}

function isCost(name: RateName | CostName): name is CostName {
  return name === "dispatch" || name === "encode" || name === "submit" || name === "roundTrip";
}

function entriesOf<Name extends string>(
  record: Readonly<Partial<Record<Name, MeasuredCeiling>>>,
): [Name, MeasuredCeiling][] {
  const entries: [Name, MeasuredCeiling][] = [];
  for (const name in record) {
    const measured = record[name];
    if (measured !== undefined) entries.push([name, measured]);
  }
  return entries;
}

function unitOf(name: RateName): Unit {
  return name === "f32" || name === "f16" || name === "matrix" ? "FLOP/s" : "B/s";
}

function rateFigure({ runs, before = [], after = [] }: MeasuredCeiling, unit: Unit): Figure {
  const value = Math.max(...runs, ...before, ...after.flat());
  return {
    value,
    unit,
    samples: runs.length,
    interval: [median(runs), value],
    provenance: "measured",
    conditions: ["the best run; from the median of all runs"],
  };
}

function costFigure(runs: readonly number[]): Figure {
  const interval = medianInterval(runs);
  return {
    value: median(runs),
    unit: "ms",
    samples: runs.length,
    ...(interval === undefined ? {} : { interval }),
    provenance: "measured",
    conditions: [],
  };
}

/** The fastest way that a kernel has to storage: what bounds one that does little else. */
export function memoryCeiling(ceilings: Ceilings): Ceiling | undefined {
  const ways = [ceilings.read, ceilings.write, ceilings.copy].filter((each) => each !== undefined);
  return ways.toSorted((a, b) => b.figure.value - a.figure.value)[0];
}

/** FLOPs per byte below which memory is the bound, and above which arithmetic is. */
export function ridgePoint(peak: Ceiling, memory: Ceiling): number {
  return peak.figure.value / memory.figure.value;
}

/** Ceilings of one adapter, measured on it. Ranks that share it share them; others have an entry each. */
export interface CalibratedPeaks {
  /** What `--adapter` takes. */
  readonly adapter: string;
  readonly ceilings: Ceilings;
  /** It computes on the machine's CPU cores, which it shares with every other software adapter. */
  readonly software: boolean;
  /** What was streamed to measure memory: a kernel that moves less may find it in caches. */
  readonly streamedBytes: number;
}
