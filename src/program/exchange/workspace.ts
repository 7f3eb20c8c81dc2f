// How much GPU memory beside its own buffers a rank needs for a collective: blocks of a chunk, however long
// the message is.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { Collective } from "../program.ts";
import { addsOnHost, algorithmOf, bindingUnit, handedOut, turnsOf } from "./algorithm.ts";
import { blocksOf, chunkBytes, chunksOf, wordsUp } from "./chunks.ts";
import { givenIn, handedOutIn, isSized } from "./exchanges.ts";
import { sum } from "./pieces.ts";
import {
  isAligned,
  isAllReduce,
  oddTakesOf,
  passesOn,
  reduces,
  summandPitch,
  sumsOf,
} from "./sums.ts";

/** Byte offsets into the workspace. */
export interface WorkspaceLayout {
  /** Where a take that shares words lands; before it, at 0, what the kernel needs to know of it. */
  readonly landing: number;
  /** Summands of a block, side by side. */
  readonly summands: number;
  readonly bytes: number;
}

export function workspaceOf(collective: Collective, rank: number): WorkspaceLayout {
  const summandBytes = summandsBytes(collective, rank);
  if (!isOdd(collective)) return { landing: 0, summands: 0, bytes: summandBytes };
  const sums = sumsOf(collective, rank);
  const takes = oddTakesOf(collective, rank);
  const isPlain = sums.every(({ block }) => isAligned(block));
  if (takes.length === 0 && isPlain) return { landing: 0, summands: 0, bytes: summandBytes };
  const landingBytes = takes.reduce((most, { words }) => Math.max(most, words), 0);
  const summands = bindingUnit + Math.ceil(landingBytes / bindingUnit) * bindingUnit;
  return { landing: bindingUnit, summands, bytes: summands + summandBytes };
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
  const algorithm = algorithmOf(collective);
  const largest = handedOut(collective)[0]?.bytes ?? collective.count * elementBytes;
  if (algorithm === "ring") return blocks(2, largest);
  if (algorithm === "tree") return blocks(Math.min(3, from.length), largest);
  return to.includes(rank) ? blocks(from.length, largest) : 0;
}

const isPart = (count: number): boolean => count % 4 !== 0;

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
  const [given = [], handed = []] = [givenIn(collective), handedOutIn(collective)].map(
    (exchange) => {
      const i = exchange?.from.indexOf(rank) ?? -1;
      return exchange === undefined || i < 0 ? [] : chunksOf(exchange, i).map(({ bytes }) => bytes);
    },
  );
  if (!isAllReduce(collective) || !passesOn(collective)) return [given, handed];
  const passed = turnsOf(collective, rank)
    .filter(({ target }) => target !== undefined)
    .flatMap(({ slice }) => blocksOf(slice).map(({ words }) => words));
  return [passed, handed];
}
