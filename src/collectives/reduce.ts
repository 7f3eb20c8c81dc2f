// Collectives that add: summands come block by block and are added on the GPU, in the order of the ranks
// that they come from.

import type { StorageType } from "../kernels/storage.ts";
import { blocksOf, chunksOf, type Exchange, type Take } from "../program/exchange/chunks.ts";
import { isAligned, summandPitch } from "../program/exchange/sums.ts";
import { kernelsOf, place } from "./land.ts";
import { createMilestones } from "./milestones.ts";
import { sendChunks } from "./send.ts";
import type { Parts } from "./parts.ts";

export interface ReduceRun {
  readonly exchange: Exchange;
  readonly lane: number;
  readonly dtype: StorageType;
  readonly send: string | undefined;
  /** Called when the sum of a block has been given to the GPU. */
  readonly onSummed: () => void;
}

/** Every member of `to` adds what the members of `from` give it, one piece from each. */
export async function runReduce(parts: Parts, run: ReduceRun): Promise<void> {
  const { exchange, lane, send } = run;
  const { name, from, to, same, pieces } = exchange;
  const i = from.indexOf(parts.rank);
  const j = to.indexOf(parts.rank);
  const chunks = i < 0 ? [] : chunksOf(exchange, i);
  const staged = createMilestones();
  const sending = sendChunks(parts, { name, lane, send, chunks, onStaged: staged.pass });
  const adding = async (): Promise<void> => {
    const offsets = from.map((_, source) => offsetsOf(exchange, source, parts.rank));
    const members = from.map((source, at) => ({ source, offsets: offsets[at] ?? [] }));
    for (const [k, block] of pieces(0, j).flatMap(blocksOf).entries()) {
      // In place, the sum overwrites what others are to be given.
      if (same && i >= 0) await staged.reached(Math.min(k + 1, chunks.length));
      const summands = members.map(({ source, offsets: own }) => ({ source, offset: own[k] ?? 0 }));
      await addBlock(parts, { name, lane, dtype: run.dtype, send, block, summands });
      run.onSummed();
    }
  };
  await Promise.all([sending, j < 0 ? undefined : adding()]);
}

/** Where the blocks for that reader lie in the messages that hold them. */
export const offsetsOf = (exchange: Exchange, source: number, reader: number): number[] =>
  chunksOf(exchange, source).flatMap(({ takes }) =>
    takes.filter(({ readers }) => readers.includes(reader)).map(({ chunkOffset }) => chunkOffset),
  );

export interface Addition {
  /** For messages to humans. */
  readonly name: string;
  readonly lane: number;
  readonly dtype: StorageType;
  /** Holds this rank's own summand. */
  readonly send: string | undefined;
  readonly block: Take;
  /** In the order of addition; where in the source's message the block begins. */
  readonly summands: readonly { readonly source: number; readonly offset: number }[];
}

/**
 * One block of a sum, of which this rank may hold a summand, into the buffer that receives. Leaves the kernel
 * in the batch, for it may go to the GPU together with what follows.
 */
export async function addBlock(parts: Parts, addition: Addition): Promise<void> {
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
  if (kernel === undefined) place(parts, name, dtype, block, summands.length, "summands");
  else parts.reduce(kernel);
}
