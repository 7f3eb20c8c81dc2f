// What samples cannot show of how far a figure may be off: how runs differ, and what others took.

import { heaviestLoad, loadMargin, type LoadOfRun, type MachineLoad } from "./machine_load.ts";

/** What else than samples is known of some runs. */
export interface Circumstances {
  /** Of those runs whose load is known. */
  readonly loads: readonly LoadOfRun[];
  /** The most that a peak changed while steps ran, as a share of it; 0 where that is not known. */
  readonly peakChange: number;
  /** Whether some rank's adapter computes on the machine's own cores. */
  readonly isSoftware: boolean;
  /** How far those of two ranks may be apart; and what a step takes. */
  readonly clocks?: { readonly apartMs: number; readonly stepMs: number };
}

/** By what an interval is made wider either way: shares of it, but for `clockMs`. */
export interface Margins {
  /** Of a single run, which does not show how runs differ. */
  readonly alone: number;
  /** For what others had of the CPUs. */
  readonly load: number;
  /** For what runs in a row share. */
  readonly drift: number;
  /** Of times: what clocks of several hosts may be apart. */
  readonly clockMs: number;
  /** The same of all other figures, as a share of a step. */
  readonly clockShare: number;
}

export const NO_MARGINS: Margins = { alone: 0, load: 0, drift: 0, clockMs: 0, clockShare: 0 };

/** What no single run shows: memory comes to lie elsewhere in the next, clocks and neighbours change. */
const betweenRuns = 0.05;

/**
 * Cores change their speed for minutes, by their clock and by who shares their caches and pipelines, and no counter
 * tells. Of twelve equal runs on SwiftShader, on a quiet virtual machine, the medians lay up to 47 % of their median
 * apart, and three in a row missed the median of all in one of ten trials (`npm run bench:verdicts`).
 */
const softwareDrift = 0.25;

export function marginsOf({ loads, peakChange, isSoftware, clocks }: Circumstances): Margins {
  const { apartMs = 0, stepMs = 0 } = clocks ?? {};
  const load: MachineLoad | undefined = heaviestLoad(loads);
  return {
    alone: Math.max(betweenRuns, Math.abs(peakChange)),
    load: load === undefined ? 0 : loadMargin(load),
    drift: isSoftware ? softwareDrift : 0,
    clockMs: apartMs,
    clockShare: stepMs > 0 ? apartMs / stepMs : 0,
  };
}

/** What a figure's margin is for, in a phrase. @param runs absent: a single one */
export function reasonsOfMargin(runs: number | undefined): string {
  const shared = "load by others, and cores that change their speed";
  return runs === undefined ? `how runs differ, peaks that changed, ${shared}` : shared;
}

/** A margin is a factor: an interval from 100 to 110 with a margin of a tenth is one from 91 to 121. */
export function widened(
  [low, high]: readonly [number, number],
  margin: number,
): readonly [low: number, high: number] {
  // What can be negative is a difference of others: there the margin goes outwards too.
  const factor = 1 + margin;
  return [low < 0 ? low * factor : low / factor, high < 0 ? high / factor : high * factor];
}
