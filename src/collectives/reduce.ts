// Collectives that add, step by step: summands come block by block and are added on the GPU. Whoever forwards a sum
// has it meanwhile where the whole sum will lie in the end.

import type { StorageType } from "../kernels/storage.ts";
import { pieceSegments, type ChunkSegment } from "../program/exchange/chunks.ts";
import { laneOf } from "../program/exchange/lanes.ts";
import {
  chunksOfSteps,
  forwardedChunks,
  forwards,
  offsetsFor,
  ownChunks,
} from "../program/exchange/messages.ts";
import type { Piece } from "../program/exchange/pieces.ts";
import type { ReduceStep } from "../program/exchange/reduce_step.ts";
import { isAligned, reduceSteps, summandPitch } from "../program/exchange/sums.ts";
import type { AllReduce, ReduceScatter } from "../program/program.ts";
import { createMilestones, type Milestones } from "./milestones.ts";
import type { Parts } from "./parts.ts";
import { sendChunks } from "./send.ts";
import { kernelsOf, placeWords } from "./write_received.ts";

/** @param summed passes a milestone for each block that is summed to the end on this rank */
export async function runReduce(
  parts: Parts,
  collective: AllReduce | ReduceScatter,
  summed: Milestones,
): Promise<void> {
  const { name, channel, dtype, send, receive } = collective;
  const lane = laneOf(channel, 0);
  const steps = reduceSteps(collective, parts.rank).map((step) => ({
    ...step,
    added: createMilestones(),
  }));
  const own = steps.filter(
    ({ reduce, send: readers }) => reduce.length === 0 && readers.length > 0,
  );
  const chunks = ownChunks(own);
  const staged = createMilestones();
  const nextOffset = createOffsets(parts.rank, (source) => reduceSteps(collective, source));

  const sending = async (): Promise<void> => {
    await sendChunks(parts, { name, lane, send, chunks, onStaged: staged.pass });
    for (const step of steps.filter(forwards)) {
      await sendChunks(parts, {
        name,
        lane,
        send: receive,
        chunks: forwardedChunks(step),
        ready: async (k) => step.added.reached(k + 1),
      });
    }
  };
  const adding = async (): Promise<void> => {
    for (const { slice, reduce, send: readers, added } of steps) {
      if (reduce.length === 0) continue;
      const isSent = own.some((other) => isSame(other.slice, slice));
      for (const [k, block] of pieceSegments(slice).entries()) {
        // In place, the sum overwrites what others are to be sent: block k is chunk k where nothing else leaves.
        if (isSent) await staged.reached(own.length === 1 ? k + 1 : chunks.length);
        const summands = reduce.map((source) => ({
          source,
          offset: source === parts.rank ? 0 : nextOffset(source),
        }));
        await addBlock(parts, { name, lane, dtype, send, block, summands });
        added.pass();
        if (readers.length === 0) summed.pass();
      }
    }
  };
  await Promise.all([sending(), adding()]);
}

function isSame(a: Piece, b: Piece): boolean {
  return a.sourceOffset === b.sourceOffset && a.bytes === b.bytes;
}

/** Where in the next message of a source this rank's block lies. */
function createOffsets(
  rank: number,
  stepsOf: (source: number) => readonly ReduceStep[],
): (source: number) => number {
  const left = new Map<number, number[]>();
  return (source) => {
    const offsets = left.get(source) ?? offsetsFor(rank, chunksOfSteps(stepsOf(source)));
    left.set(source, offsets);
    return offsets.shift() ?? 0;
  };
}

interface Addition {
  /** For messages to humans. */
  readonly name: string;
  readonly lane: number;
  readonly dtype: StorageType;
  /** Holds this rank's own summand. */
  readonly send: string | undefined;
  readonly block: ChunkSegment;
  /** In the order of addition; where in the source's message the block begins. */
  readonly summands: readonly { readonly source: number; readonly offset: number }[];
}

/**
 * One block of a sum, of which this rank may hold a summand, into the buffer that receives. Leaves the kernel
 * in the batch, for it may go to the GPU together with what follows.
 */
async function addBlock(parts: Parts, addition: Addition): Promise<void> {
  const { communicator, rank, queue } = parts;
  const { name, lane, dtype, send, block, summands } = addition;
  const { workspace, layout, sums } = kernelsOf(parts, name);
  const placeOf = (at: number): number =>
    workspace.offset + layout.summands + at * summandPitch(block.words, dtype);
  for (const [at, { source, offset }] of summands.entries()) {
    if (source === rank) continue;
    const { bytes, release } = await communicator.receive(lane, source, block.words);
    await parts.roomFor(block.words);
    // Kernels of the batch may still read what lies in the workspace: bytes are written ahead of it.
    parts.submit();
    parts.during("upload", () => {
      queue.writeBuffer(
        workspace.buffer,
        placeOf(at),
        bytes.buffer,
        bytes.byteOffset + offset,
        block.words,
      );
      parts.uploads.wrote(block.words);
    });
    release();
  }
  const own = summands.findIndex(({ source }) => source === rank);
  if (own >= 0) {
    if (send === undefined) throw new Error(`${name}: rank ${rank} adds without a send buffer`);
    const { buffer, offset } = parts.region(send);
    const from = offset + block.sourceOffset;
    parts.encoder().copyBufferToBuffer(buffer, from, workspace.buffer, placeOf(own), block.words);
  }
  const kernel = isAligned(block) ? sums.get(block.targetOffset) : undefined;
  if (kernel === undefined) placeWords(parts, name, dtype, block, summands.length, "summands");
  else parts.reduce(kernel);
}
