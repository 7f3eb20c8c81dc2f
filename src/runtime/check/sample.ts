// Which rows of a tensor a check looks at: all where they are few, else a fixed number of elements, the first and the
// last row always among them, for it is at edges that kernels go wrong.

/** Consecutive rows. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** Elements of a run: shorter ones would only make more copies. */
const runElements = 2 ** 10;

export function allRows(rows: number): Run[] {
  return rows === 0 ? [] : [{ first: 0, count: rows }];
}

/**
 * @param elements of one row
 * @param most elements in all; a few rows are taken in any case
 */
export function sampleRows(
  rows: number,
  elements: number,
  random: () => number,
  most: number,
): Run[] {
  if (rows * elements <= most || rows <= 4) return allRows(rows);
  const size = Math.min(rows, Math.max(1, Math.ceil(runElements / Math.max(1, elements))));
  const runs = Math.max(4, Math.floor(most / (size * Math.max(1, elements))));
  const places = Math.ceil(rows / size);
  const chosen = new Set([0, places - 1]);
  while (chosen.size < Math.min(runs, places)) chosen.add(Math.floor(random() * places));
  return [...chosen]
    .toSorted((a, b) => a - b)
    .map((place) => ({ first: place * size, count: Math.min(size, rows - place * size) }));
}

export function countRows(runs: readonly Run[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

export function* rowsOf(runs: readonly Run[]): Generator<number> {
  for (const { first, count } of runs) for (let row = first; row < first + count; row++) yield row;
}

/** Each once, in order, neighbours together. */
export function runsOf(rows: Iterable<number>): Run[] {
  const runs: { first: number; count: number }[] = [];
  for (const row of [...new Set(rows)].toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.count === row) last.count += 1;
    else runs.push({ first: row, count: 1 });
  }
  return runs;
}
