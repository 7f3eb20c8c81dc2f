// Where a promised value stands against a measured figure. Decided is only what would come out the same in another run
// and beside other load; the rest is open.

import type { Figure } from "./figure.ts";
import { heaviestLoad, loadMargin, type LoadOfRun } from "./machine_load.ts";

/** What else is known of the runs that a figure rests on. */
export interface Circumstances {
  /** Of those runs whose load is known. */
  readonly loads: readonly LoadOfRun[];
  /** The most that a peak changed while steps ran, as a share of it; 0 where that is not known. */
  readonly peakChange: number;
}

export interface Standing {
  readonly is: "kept" | "broken" | "open";
  /** In a phrase. */
  readonly because: string;
}

/** What no single run shows: memory comes to lie elsewhere in the next, clocks and neighbours change. */
const betweenRuns = 0.05;

/**
 * The whole 95 % interval must lie on one side of the promised value; of a single run, by a margin for what it cannot
 * show, and beside load, by what others may have cost. Margins are factors: an interval from 100 to 110 with a margin
 * of a tenth is one from 91 to 121.
 *
 * @param figure with its interval
 * @param promised in the figure's unit
 */
export const standingOf = (
  figure: Figure & { readonly interval: NonNullable<Figure["interval"]> },
  promised: number,
  promise: "at least" | "at most",
  { loads, peakChange }: Circumstances,
): Standing => {
  const is = (margin: number): Standing["is"] =>
    sideOf(widened(figure.interval, margin), promised, promise);
  if (is(0) === "open") return open("the interval straddles the claim");
  const alone = figure.runs === undefined ? Math.max(betweenRuns, Math.abs(peakChange)) : 0;
  if (is(alone) === "open") {
    return open(
      `the claim lies within ${percent(alone)} of the interval of a single run, which does not show how runs ` +
        "differ: --runs 3 does",
    );
  }
  const load = heaviestLoad(loads);
  if (load !== undefined && is((1 + alone) * (1 + loadMargin(load)) - 1) === "open") {
    const taken = percent(load.othersShare + load.stolenShare);
    return open(
      `others had ${taken} of the CPU time while steps ran, and the claim lies too near for that: run it on a ` +
        "quiet machine",
    );
  }
  return is(0) === "kept"
    ? { is: "kept", because: "the whole interval keeps the promise" }
    : { is: "broken", because: "the whole interval misses it" };
};

const open = (because: string): Standing => ({ is: "open", because });

const sideOf = (
  [low, high]: readonly [number, number],
  promised: number,
  promise: "at least" | "at most",
): Standing["is"] => {
  if (promise === "at least" ? low >= promised : high <= promised) return "kept";
  return (promise === "at least" ? high < promised : low > promised) ? "broken" : "open";
};

const widened = (
  [low, high]: readonly [number, number],
  margin: number,
): readonly [number, number] => [low / (1 + margin), high * (1 + margin)];

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
