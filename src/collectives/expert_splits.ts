// Who sends how many rows to which expert: decided by the router, known to all who take part.

import { type Piece, joinPieces, starts, sum } from "../program/exchange/pieces.ts";

export interface ExpertSplits {
  /** Token sources and expert ranks, in the order of the dispatch. */
  readonly sources: readonly number[];
  readonly experts: readonly number[];
  readonly expertsPerRank: readonly number[];
  /** Rows that source i has for expert e, and those of them that the expert accepts. */
  readonly counts: readonly (readonly number[])[];
  readonly kept: readonly (readonly number[])[];
}

/** A dispatch and its combine belong to one micro-batch. */
export function splitKey(channel: number, microBatch: number): string {
  return `${channel} ${microBatch}`;
}

/** Capacity is used up in source order, and within a source by its first rows. */
export function acceptRows(
  counts: readonly (readonly number[])[],
  capacity: number | undefined,
): number[][] {
  if (capacity === undefined) return counts.map((row) => [...row]);
  const room = counts[0]?.map(() => capacity) ?? [];
  return counts.map((row) =>
    row.map((count, e) => {
      const accepted = Math.min(count, room[e] ?? 0);
      room[e] = (room[e] ?? 0) - accepted;
      return accepted;
    }),
  );
}

/** First and last + 1 expert of expert rank j. */
function expertRange({ expertsPerRank }: ExpertSplits, j: number): [number, number] {
  const first = sum(expertsPerRank.slice(0, j));
  return [first, first + (expertsPerRank[j] ?? 0)];
}

/** Rows that each expert of expert rank j receives from all sources together. */
export function receivedRows(splits: ExpertSplits, j: number): number[] {
  const [first, end] = expertRange(splits, j);
  return Array.from({ length: end - first }, (_, e) =>
    sum(splits.kept.map((row) => row[first + e] ?? 0)),
  );
}

/** Rows on their way from source i (sorted by expert) to expert rank j (by expert, then by source). */
export function dispatchPieces(
  splits: ExpertSplits,
  i: number,
  j: number,
  rowBytes: number,
): Piece[] {
  const [first, end] = expertRange(splits, j);
  const sourceStarts = starts(splits.counts[i] ?? []);
  const targetStarts = starts(receivedRows(splits, j));
  const pieces: Piece[] = [];
  for (let e = first; e < end; e++) {
    const before = sum(splits.kept.slice(0, i).map((row) => row[e] ?? 0));
    pieces.push({
      sourceOffset: (sourceStarts[e] ?? 0) * rowBytes,
      targetOffset: ((targetStarts[e - first] ?? 0) + before) * rowBytes,
      bytes: (splits.kept[i]?.[e] ?? 0) * rowBytes,
    });
  }
  return joinPieces(pieces);
}

/** The same rows on their way back, to the places that they came from. */
export function combinePieces(
  splits: ExpertSplits,
  i: number,
  j: number,
  rowBytes: number,
): Piece[] {
  return dispatchPieces(splits, i, j, rowBytes).map(({ sourceOffset, targetOffset, bytes }) => ({
    sourceOffset: targetOffset,
    targetOffset: sourceOffset,
    bytes,
  }));
}
