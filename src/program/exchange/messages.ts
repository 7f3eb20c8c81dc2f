// The messages of steps: which chunks a rank sends, and where in them a reader finds its blocks.

import { type Chunk, packed } from "./chunks.ts";
import type { ReduceStep } from "./reduce_step.ts";

/** Whether it sends what it has added before: its messages are ready block by block. */
export function forwards({ reduce, send }: ReduceStep): boolean {
  return reduce.length > 0 && send.length > 0;
}

/** Chunks of the rank's own summands: all of them are there from the beginning, so slices share chunks. */
export function ownChunks(steps: readonly ReduceStep[]): Chunk[] {
  return packed(steps.filter(({ reduce }) => reduce.length === 0).map(partOf));
}

export function forwardedChunks(step: ReduceStep): Chunk[] {
  return packed([partOf(step)]);
}

/** Everything that leaves the rank, in order. */
export function chunksOfSteps(steps: readonly ReduceStep[]): Chunk[] {
  return [...ownChunks(steps), ...steps.filter(forwards).flatMap(forwardedChunks)];
}

/** Where the blocks for that reader lie in the chunks that hold them, in order. */
export function offsetsFor(reader: number, chunks: readonly Chunk[]): number[] {
  return chunks.flatMap(({ segments }) =>
    segments
      .filter(({ readers }) => readers.includes(reader))
      .map(({ chunkOffset }) => chunkOffset),
  );
}

function partOf({ slice, send }: ReduceStep) {
  return { readers: send, pieces: send.length === 0 ? [] : [slice] };
}
