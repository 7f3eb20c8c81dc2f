// Which tokens of a sequence a rank has where ranks share sequences: two slices of equal length, so that under a causal
// mask all ranks have as much to do (Llama 3, section 3.3.2; Megatron-LM).

/** Positions that the rank's two slices of each sequence begin at, the earlier first. */
export type SliceStarts = readonly [first: number, second: number];

/** Of rank `rank` of `ranks`: slices `rank` and 2 · ranks - 1 - rank of 2 · ranks. */
export function sliceStarts(sequence: number, ranks: number, rank: number): SliceStarts {
  const slice = sequence / (2 * ranks);
  return [rank * slice, (2 * ranks - 1 - rank) * slice];
}

/** Of a row of a sequence. @param rows of a sequence that the rank has */
export function positionInSlices(rows: number, starts: SliceStarts, row: number): number {
  const half = rows / 2;
  return row < half ? starts[0] + row : starts[1] + row - half;
}
