// How much longer one of two programs takes, from turns of steps that both took. Steps of one opening of a program have
// much in common that another opening has not, such as where its memory lies: what one opening alone shows is not said of
// the programs.

import { medianInterval } from "./median_interval.ts";
import type { PairedRatio } from "./paired_ratio.ts";
import { median } from "./statistics.ts";

/** Fewer say nothing of openings. */
const leastTurns = 15;

export interface GateTurn {
  /** ms of a step, medians of the turn. */
  readonly reference: number;
  readonly own: number;
}

/**
 * @param openings the turns of each
 * @returns the median ratio of all turns; its 95 % interval, and what the medians of single openings reach beyond it
 */
export function turnsRatio(openings: readonly (readonly GateTurn[])[]): PairedRatio {
  const ratios = openings.map((turns) => turns.map(({ own, reference }) => own / reference));
  const all = ratios.flat();
  const found = { ratio: median(all), pairs: all.length };
  const interval = all.length < leastTurns ? undefined : medianInterval(all);
  if (interval === undefined) return found;
  const medians = ratios.map(median);
  return {
    ...found,
    interval: [Math.min(interval[0], ...medians), Math.max(interval[1], ...medians)],
  };
}
