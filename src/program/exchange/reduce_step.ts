// What one rank does in a collective that adds, in NCCL's primitives. A step moves one slice: it receives, adds and
// sends, in that order, and each of the three may be left out.

import { inTurn } from "./chunks.ts";
import type { Piece } from "./pieces.ts";

export interface ReduceStep {
  readonly slice: Piece;
  /** Ranks that send it, in the order in which their messages are received. */
  readonly recv: readonly number[];
  /** Ranks whose summands are added, in that order; with this rank, where it has one. */
  readonly reduce: readonly number[];
  /** Readers of the sum, or of this rank's own summand where nothing is added. */
  readonly send: readonly number[];
}

export function send(slice: Piece, readers: readonly number[]): ReduceStep {
  return { slice, recv: [], reduce: [], send: readers };
}

export function recv(slice: Piece, source: number): ReduceStep {
  return { slice, recv: [source], reduce: [], send: [] };
}

export function recvReduce(slice: Piece, summands: readonly number[], rank: number): ReduceStep {
  return recvReduceSend(slice, summands, rank, []);
}

export function recvReduceSend(
  slice: Piece,
  summands: readonly number[],
  rank: number,
  readers: readonly number[],
): ReduceStep {
  const sources = summands.filter((source) => source !== rank);
  return { slice, recv: sources, reduce: summands, send: readers };
}

/** Member j of `to` adds slice j of all members of `from`. Empty slices are not sent. */
export function reduceScatterSteps(
  { from, to }: { readonly from: readonly number[]; readonly to: readonly number[] },
  slices: readonly Piece[],
  rank: number,
): ReduceStep[] {
  const i = from.indexOf(rank);
  const sends = (i < 0 ? [] : inTurn(to, rank, i)).flatMap(({ reader, j }) => {
    const slice = slices[j];
    return slice === undefined || slice.bytes === 0 ? [] : [send(slice, [reader])];
  });
  const own = slices[to.indexOf(rank)];
  if (own === undefined || own.bytes === 0) return sends;
  return [...sends, recvReduce(own, from, rank)];
}
