// How much GPU memory beside its own buffers a rank needs for a collective: blocks of a chunk, however long
// the message is.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { Collective } from "../program.ts";
import { addsOnHost, algorithmOf } from "./all_reduce/algorithms.ts";
import { broadcastPhase } from "./all_reduce/broadcast_phase.ts";
import { bytesOfSum, sliceOf } from "./all_reduce/reduction.ts";
import { bindingUnit, type Chunk, chunkBytes, chunksOf, type Exchange, wordsUp } from "./chunks.ts";
import { chunksOfSteps } from "./messages.ts";
import { exchangeOf, isSized } from "./operations.ts";
import { sum } from "./pieces.ts";
import {
  isAligned,
  isAllReduce,
  oddSegmentsOf,
  reduces,
  reduceSteps,
  summandPitch,
  sumsOf,
} from "./sums.ts";

/** Byte offsets into the workspace. */
export interface WorkspaceLayout {
  /** Where a segment that shares words is written first; before it, at 0, what the kernel needs to know of it. */
  readonly received: number;
  /** Summands of a block, side by side. */
  readonly summands: number;
  readonly bytes: number;
}

export function workspaceOf(collective: Collective, rank: number): WorkspaceLayout {
  const summandBytes = summandsBytes(collective, rank);
  if (!isOdd(collective)) return { received: 0, summands: 0, bytes: summandBytes };
  const sums = sumsOf(collective, rank);
  const odd = oddSegmentsOf(collective, rank);
  const isPlain = sums.every(({ block }) => isAligned(block));
  if (odd.length === 0 && isPlain) return { received: 0, summands: 0, bytes: summandBytes };
  const receivedBytes = odd.reduce((most, { words }) => Math.max(most, words), 0);
  const summands = bindingUnit + Math.ceil(receivedBytes / bindingUnit) * bindingUnit;
  return { received: bindingUnit, summands, bytes: summands + summandBytes };
}

/** Read off the counts alone: plans of thousands of ranks ask for every one. */
function summandsBytes(collective: Collective, rank: number): number {
  if (!reduces(collective) || collective.from.length < 2) return 0;
  const { from, to } = collective;
  const elementBytes = bytesPerElement(collective.dtype);
  const blocks = (count: number, bytes: number): number =>
    count * summandPitch(Math.min(chunkBytes, wordsUp(bytes)), collective.dtype);
  if (collective.op === "reduce-scatter") {
    const j = to.indexOf(rank);
    // Up to a word more where it begins within one.
    const own = (collective.counts[j] ?? 0) * elementBytes;
    return blocks(from.length, own === 0 ? 0 : own + (isOdd(collective) ? 2 : 0));
  }
  if (addsOnHost(collective)) return 0;
  if (!to.includes(rank)) return 0;
  const algorithm = algorithmOf(collective);
  const slices = algorithm.owners(collective).length;
  const largest = slices === 0 ? bytesOfSum(collective) : sliceOf(collective, slices, 0).bytes;
  return blocks(algorithm.summands(collective), largest);
}

function isPart(count: number): boolean {
  return count % 4 !== 0;
}

/** Whether some piece may not consist of whole quads. */
function isOdd(collective: Collective): boolean {
  if (!isSized(collective)) return false;
  if (collective.inPlace === true) return true;
  if ("count" in collective) return isPart(collective.count);
  return collective.counts.some((count) =>
    typeof count === "number" ? isPart(count) : count.some(isPart),
  );
}

/** Bytes of the longest message of a rank, which its staging buffers must take chunk by chunk. */
export function longestMessage(collective: Collective, rank: number): number {
  return Math.max(0, ...messagesOf(collective, rank).map((chunks) => sum(chunks)));
}

/** Bytes of the chunks that a rank sends over each lane of the channel. */
export function messagesOf(collective: Collective, rank: number): number[][] {
  if (!isSized(collective)) return [];
  const first =
    reduces(collective) && collective.from.length > 1
      ? chunksOfSteps(reduceSteps(collective, rank))
      : chunksSentIn(exchangeOf(collective), rank);
  const broadcast = isAllReduce(collective) ? broadcastPhase(collective) : undefined;
  const second = broadcast === undefined ? [] : chunksSentIn(broadcast, rank);
  return [first, second].map((chunks) => chunks.map(({ bytes }) => bytes));
}

function chunksSentIn(exchange: Exchange, rank: number): Chunk[] {
  const i = exchange.from.indexOf(rank);
  return i < 0 ? [] : chunksOf(exchange, i);
}
