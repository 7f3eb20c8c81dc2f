// Bytes between ranks, in closed forms over lists that thousands of ranks share.

import { bytesPerElement, type StorageType } from "../../kernels/storage.ts";

export interface WireBytes {
  /** Payload to and from other ranks; what stays on the rank does not count. */
  readonly sent: number;
  readonly received: number;
  /** The most that this rank exchanges with one other rank in one direction. */
  readonly largestPiece: number;
  /** Where routing decides: received if all tokens choose experts of this rank, as far as these take them. */
  readonly receivedAtWorst?: number;
}

/** Where a rank stands in a collective. */
export interface Membership {
  readonly rank: number;
  /** Its place in `from` and in `to`; below 0 where it is no member. */
  readonly i: number;
  readonly j: number;
  /** Members of `from` and of `to` other than the rank. */
  readonly sources: number;
  readonly targets: number;
}

/** In elements. */
export interface Pieces {
  readonly sum: number;
  readonly largest: number;
}

/** Sums over lists, each worked out once. */
export interface Lists {
  readonly sum: (sizes: readonly number[]) => number;
  /** All pieces but the one at `own`, which may be no place of the list; each times `scale`. */
  readonly allBut: (sizes: readonly number[], own: number, scale?: number) => Pieces;
}

/** One piece of equal size to or from each of `count` ranks. */
export function equalPieces(count: number, size: number): Pieces {
  return { sum: count * size, largest: count === 0 ? 0 : size };
}

/** @param sent of a member of `from`, and `received` of one of `to` */
export function wireBytes(
  dtype: StorageType,
  { i, j }: Membership,
  sent: Pieces,
  received: Pieces,
): WireBytes {
  const bytes = bytesPerElement(dtype);
  return {
    sent: i < 0 ? 0 : bytes * sent.sum,
    received: j < 0 ? 0 : bytes * received.sum,
    largestPiece: bytes * Math.max(i < 0 ? 0 : sent.largest, j < 0 ? 0 : received.largest),
  };
}
