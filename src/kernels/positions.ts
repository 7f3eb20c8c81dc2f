// Where rows stand in their sequences: rows of whole sequences by their place, of slices of sequences from where these
// begin, those of serving after what is cached.

import { type Binding, read } from "./kernel.ts";
import { positionInSlices, type SliceStarts } from "./slices.ts";

export interface PositionsShape {
  /** Tokens per sequence; of a request at most. */
  readonly sequence: number;
  /** Rows of each request, of which binding `spans` has the tokens cached before. Absent: rows are whole sequences. */
  readonly queries?: number;
  /** Of each sequence the rank has two slices, `rows` tokens together. Absent: all of it. */
  readonly slices?: { readonly rows: number; readonly starts: SliceStarts };
}

export function positionsPrelude({ queries, slices }: PositionsShape): string {
  if (slices !== undefined) return "positions/slices";
  return `positions/${queries === undefined ? "sequences" : "spans"}`;
}

export function positionsConstants({
  sequence,
  queries,
  slices,
}: PositionsShape): Record<string, number> {
  return {
    SEQUENCE: sequence,
    ...(queries === undefined ? {} : { QUERIES: queries }),
    ...(slices === undefined
      ? {}
      : { OWN_ROWS: slices.rows, FIRST_SLICE: slices.starts[0], SECOND_SLICE: slices.starts[1] }),
  };
}

export function positionsBindings({ queries }: PositionsShape): Binding[] {
  return queries === undefined ? [] : [{ ...read("spans", "u32"), slot: 7 }];
}

/** Of `spans`. */
export function positionsBytes({ queries }: PositionsShape, rows: number): number {
  return queries === undefined ? 0 : (8 * rows) / queries;
}

/** Of each row, in f64 or on the host as shaders have it. */
export function positionOf(
  { sequence, queries, slices }: PositionsShape,
  row: number,
  spans: ArrayLike<number> | undefined,
): number {
  if (slices !== undefined) return positionInSlices(slices.rows, slices.starts, row % slices.rows);
  if (queries === undefined) return row % sequence;
  const cached = spans?.[2 * Math.floor(row / queries)] ?? 0;
  return Math.min(cached + (row % queries), sequence - 1);
}
