// Sets of times, as lists of intervals [start, end).

export type TimeRange = readonly [start: number, end: number];

/** The same times, sorted, without overlaps and without empty intervals. */
export function merge(intervals: readonly TimeRange[]): TimeRange[] {
  const merged: [number, number][] = [];
  const sorted = intervals.filter(([start, end]) => end > start).toSorted((a, b) => a[0] - b[0]);
  for (const [start, end] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** What of `from` no interval of `taken` covers; both merged. */
export function subtract(from: readonly TimeRange[], taken: readonly TimeRange[]): TimeRange[] {
  const rest: TimeRange[] = [];
  let t = 0;
  for (const [start, end] of from) {
    let at = start;
    while (t < taken.length && (taken[t]?.[1] ?? 0) <= at) t++;
    for (let i = t; i < taken.length; i++) {
      const [takenStart, takenEnd] = taken[i] ?? [end, end];
      if (takenStart >= end) break;
      if (takenStart > at) rest.push([at, takenStart]);
      at = Math.max(at, takenEnd);
    }
    if (at < end) rest.push([at, end]);
  }
  return rest;
}

/** What both cover; both merged. */
export function intersect(left: readonly TimeRange[], right: readonly TimeRange[]): TimeRange[] {
  return subtract(left, subtract(left, right));
}

/** Total length of merged intervals. */
export function lengthOf(intervals: readonly TimeRange[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** The parts between `start` and `end`. */
export function clip(intervals: readonly TimeRange[], start: number, end: number): TimeRange[] {
  return intervals.map(([a, b]) => [Math.max(a, start), Math.min(b, end)]);
}
