// The way out of a GPU, chunk by chunk: GPU → staging buffer → mailbox. The GPU copies chunk k + 1 while
// the host moves chunk k.

import type { Chunk } from "../program/exchange/chunks.ts";
import type { Parts } from "./parts.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface Outgoing {
  /** For messages to humans. */
  readonly name: string;
  readonly lane: number;
  /** Id of the buffer that the chunks are copied from. */
  readonly send: string | undefined;
  readonly chunks: readonly Chunk[];
  /** Resolves when chunk k may be copied. */
  readonly ready?: (k: number) => Promise<void>;
  /** Called when the copy of a chunk has been given to the GPU. */
  readonly onStaged?: () => void;
  /**
   * Writes chunk k's message, given what the host has read, which is gone afterwards; it may await the GPU.
   * Default: the message is what was read.
   */
  readonly fill?: (message: Bytes, read: Bytes, k: number) => Promise<void> | void;
  /** Completes chunk k's message, which holds what was read. It may await other ranks. */
  readonly complete?: (message: Bytes, k: number) => Promise<void>;
}

/** Messages that lie where readers have just read stay in caches, and take no new memory. */
const fewMessages = 4;
/** Who is not there by then may come much later: the rank has other things to do than to wait for it. */
const graceMs = 2;

export async function sendChunks(parts: Parts, outgoing: Outgoing): Promise<void> {
  const { communicator } = parts;
  const { lane, chunks, ready, onStaged, fill, complete } = outgoing;
  let isReadAtOnce = chunks.length > fewMessages;
  let last = Promise.resolve();
  for (const [k, chunk] of chunks.entries()) {
    if (ready !== undefined) await ready(k);
    if (isReadAtOnce) {
      isReadAtOnce = await communicator.room(lane, fewMessages, graceMs);
    }
    // Before there is a staging buffer: whoever has one must not wait for another rank.
    // At once where it can be: a rank that goes on meanwhile must not put its next kernels before the copy.
    const message =
      communicator.tryReserve(lane, chunk.bytes) ?? (await communicator.reserve(lane, chunk.bytes));
    const staging =
      parts.staging.tryTake(chunk.bytes) ?? (await takeStaging(parts, outgoing.name, chunk.bytes));
    copyOut(parts, outgoing, chunk, staging);
    onStaged?.();
    const mapped = readStaging(parts, staging, chunk.bytes);
    const before = last;
    const filled = (async () => {
      // A message that awaits other ranks before it is complete must not keep the next from its staging buffer.
      if (complete === undefined) await before;
      await mapped;
      const read = new Uint8Array(staging.getMappedRange(0, chunk.bytes));
      if (fill !== undefined) await fill(message.bytes, read, k);
      parts.during("move", () => {
        if (fill === undefined) message.bytes.set(read);
        staging.unmap();
        parts.staging.giveBack(staging);
      });
    })();
    last = (async () => {
      await filled;
      await before;
      await complete?.(message.bytes, k);
      parts.during("move", () =>
        message.post([...new Set(chunk.segments.flatMap(({ readers }) => readers))]),
      );
    })();
  }
  await last;
}

export async function takeStaging(parts: Parts, name: string, bytes: number): Promise<GPUBuffer> {
  const staging = parts.staging.take(bytes);
  if (staging === undefined) {
    throw new Error(
      `${name}: rank ${parts.rank} takes part without a staging buffer of ${bytes} bytes`,
    );
  }
  return parts.readback(staging);
}

/** Submits the batch, and resolves when the staging buffer can be read. */
export async function readStaging(parts: Parts, staging: GPUBuffer, bytes: number): Promise<void> {
  const submission = parts.submit();
  await parts.readback(parts.timedMap(async () => staging.mapAsync(GPUMapMode.READ, 0, bytes)));
  parts.check(submission);
}

function copyOut(parts: Parts, { name, send }: Outgoing, chunk: Chunk, staging: GPUBuffer): void {
  if (send === undefined) {
    throw new Error(`${name}: rank ${parts.rank} takes part without a send buffer`);
  }
  const { buffer, offset } = parts.region(send);
  for (const { sourceOffset, chunkOffset, words } of chunk.segments) {
    parts.encoder().copyBufferToBuffer(buffer, offset + sourceOffset, staging, chunkOffset, words);
  }
}
