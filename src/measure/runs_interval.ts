// The 95 % interval of a figure that was measured in several runs, each with processes, memory and pipelines of its
// own: what one run repeats a thousand times may come out otherwise in the next.

import { type Interval, medianInterval } from "./median_interval.ts";
import { mean, median } from "./statistics.ts";
import { studentPoint } from "./student_t.ts";

/**
 * Of one run the interval of its median. Of several, each run's median is one observation: their mean give or take
 * Student's t of their spread (Kalibera & Jones 2013), and no less than what the runs' own intervals leave open. It
 * holds the median of the runs in any case.
 *
 * @param runs values in order of time, at least one per run
 * @returns absent for a single run of fewer than 5 values
 */
export function runsInterval(runs: readonly (readonly number[])[]): Interval | undefined {
  const [first, ...more] = runs;
  if (first === undefined) return undefined;
  if (more.length === 0) return medianInterval(first);
  const medians = runs.map(median);
  const center = mean(medians);
  const value = median(medians);
  const squares = medians.reduce((sum, each) => sum + (each - center) ** 2, 0);
  const between =
    studentPoint(runs.length - 1) * Math.sqrt(squares / (runs.length - 1) / runs.length);
  const within = withinRuns(runs);
  const least = runs.every((values) => values.every((each) => each >= 0)) ? 0 : -Infinity;
  return [
    Math.max(least, Math.min(value, center - Math.max(between, within.below))),
    Math.max(value, center + Math.max(between, within.above)),
  ];
}

/** What the mean of the medians of independent runs may be off, by the interval of each. */
function withinRuns(runs: readonly (readonly number[])[]): {
  readonly below: number;
  readonly above: number;
} {
  let below = 0;
  let above = 0;
  for (const values of runs) {
    const center = median(values);
    const [low, high] = medianInterval(values) ?? [center, center];
    below += (center - low) ** 2;
    above += (high - center) ** 2;
  }
  return { below: Math.sqrt(below) / runs.length, above: Math.sqrt(above) / runs.length };
}
