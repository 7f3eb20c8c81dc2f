// Thousands of ranks that are mostly alike, as few lines.

/** Consecutive ranks of which a reader would see the same. */
export interface RankRun<T> {
  readonly first: number;
  readonly last: number;
  /** Of the first. */
  readonly item: T;
}

/** @param shown what a reader sees of one */
export function runsOfRanks<T extends { readonly rank: number }>(
  items: readonly T[],
  shown: (item: T) => string,
): RankRun<T>[] {
  const runs: { first: number; last: number; item: T; shown: string }[] = [];
  for (const item of items) {
    const text = shown(item);
    const run = runs.at(-1);
    if (run?.shown === text && run.last === item.rank - 1) run.last = item.rank;
    else runs.push({ first: item.rank, last: item.rank, item, shown: text });
  }
  return runs.map(({ first, last, item }) => ({ first, last, item }));
}

export function rangeOf({
  first,
  last,
}: {
  readonly first: number;
  readonly last: number;
}): string {
  return first === last ? String(first) : `${first}–${last}`;
}

/** Groups of numbers as people write them: `0–3, 8`. */
export function rangesOf(numbers: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === number - 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  // Two neighbours are no range worth the name.
  return runs
    .flatMap((run) =>
      run.last === run.first + 1 ? [String(run.first), String(run.last)] : [rangeOf(run)],
    )
    .join(", ");
}

/** The same in brackets, as collectives name their members. */
export function listOf(gpus: readonly number[]): string {
  return `[${rangesOf(gpus)}]`;
}
