// What a rank has to add for a collective, block by block, and what must be moved within words.

import { bytesPerElement, type StorageType } from "../../kernels/storage.ts";
import type { AllReduce, Collective, ReduceScatter } from "../program.ts";
import { addsOnHost, algorithmOf } from "./all_reduce/algorithms.ts";
import { broadcastPhase } from "./all_reduce/broadcast_phase.ts";
import {
  bindingUnit,
  pieceSegments,
  chunksOf,
  type Exchange,
  isWordAligned,
  type ChunkSegment,
} from "./chunks.ts";
import { exchangeOf, isSized } from "./operations.ts";
import { scatteredPieces } from "./scatter.ts";
import { reduceScatterSteps, type ReduceStep } from "./reduce_step.ts";

/** One dispatch: the sum of that many summands of `block`, which lie side by side in the workspace. */
export interface Sum {
  readonly summands: number;
  readonly block: ChunkSegment;
}

/** Sums that kernels make. */
export function sumsOf(collective: Collective, rank: number): Sum[] {
  if (!reduces(collective) || collective.from.length < 2) return [];
  if (isAllReduce(collective) && addsOnHost(collective)) return [];
  return reduceSteps(collective, rank).flatMap(({ slice, reduce }) =>
    reduce.length === 0
      ? []
      : pieceSegments(slice).map((block) => ({ summands: reduce.length, block })),
  );
}

/** How a rank adds; an all-reduce may broadcast afterwards. */
export function reduceSteps(collective: AllReduce | ReduceScatter, rank: number): ReduceStep[] {
  if (isAllReduce(collective)) return algorithmOf(collective).steps(collective, rank);
  return reduceScatterSteps(collective, scatteredPieces(collective), rank);
}

export function reduces(collective: Collective): collective is AllReduce | ReduceScatter {
  return isAllReduce(collective) || collective.op === "reduce-scatter";
}

export function isAllReduce(collective: Collective): collective is AllReduce {
  return collective.op === "all-reduce" || collective.op === "reduce";
}

/** Whether the fast kernel can write it where it belongs: buffers consist of whole quads. */
export function isAligned({ head, targetOffset }: ChunkSegment): boolean {
  return head === 0 && targetOffset % bindingUnit === 0;
}

/** Bytes from one summand to the next: whole quads. */
export function summandPitch(words: number, dtype: StorageType): number {
  const quad = 4 * bytesPerElement(dtype);
  return Math.ceil(words / quad) * quad;
}

/** Segments that share words with their neighbours: a kernel puts them in place, one dispatch each. */
export function oddSegmentsOf(collective: Collective, rank: number): ChunkSegment[] {
  if (!isSized(collective)) return [];
  const sums = reduces(collective) && collective.from.length > 1;
  const copied = sums ? undefined : exchangeOf(collective);
  const broadcast = isAllReduce(collective) ? broadcastPhase(collective) : undefined;
  return [copied, broadcast].flatMap((exchange) =>
    exchange === undefined
      ? []
      : writtenIn(exchange, rank).filter((segment) => !isWordAligned(segment)),
  );
}

/** All that is written on a rank, its own pieces included. */
function writtenIn(exchange: Exchange, rank: number): ChunkSegment[] {
  const j = exchange.to.indexOf(rank);
  if (j < 0) return [];
  return exchange.from.flatMap((source, i) =>
    source === rank
      ? exchange.pieces(i, j).flatMap(pieceSegments)
      : chunksOf(exchange, i).flatMap(({ segments }) =>
          segments.filter(({ readers }) => readers.includes(rank)),
        ),
  );
}
