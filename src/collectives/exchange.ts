// The one way in which bytes go from GPUs to GPUs; every collective is an exchange of certain pieces.
//
// Sources pack what leaves them into one message: GPU → staging buffer → mailbox. Readers take their part
// of it: mailbox → GPU. What stays on a rank is a copy on its GPU.

import type { BufferRegion, CollectiveContext } from "./context.ts";
import { bytesOf, type Piece } from "./pieces.ts";
import { postBytes, readStaging } from "./staging.ts";

export interface Exchange {
  /** For messages to humans. */
  readonly name: string;
  readonly channel: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly send: string | undefined;
  readonly target: string | undefined;
  readonly staging: string | undefined;
  /** Every reader gets the same bytes, so the message holds them once. */
  readonly same: boolean;
  /** What member i of `from` gives to member j of `to`. */
  readonly pieces: (i: number, j: number) => readonly Piece[];
}

/** One reader's part of a source's message. */
interface Part {
  readonly reader: number;
  readonly messageOffset: number;
  readonly pieces: readonly Piece[];
}

interface Message {
  readonly bytes: number;
  readonly parts: readonly Part[];
}

export async function runExchange(context: CollectiveContext, exchange: Exchange): Promise<void> {
  const i = exchange.from.indexOf(context.rank);
  const j = exchange.to.indexOf(context.rank);
  if (i >= 0 && j >= 0) keepOwn(context, exchange, exchange.pieces(i, j));
  if (i >= 0) await sendAway(context, exchange, i);
  if (j >= 0) await takeIn(context, exchange);
}

function keepOwn(context: CollectiveContext, exchange: Exchange, pieces: readonly Piece[]): void {
  const source = regionOf(context, exchange, "send");
  const target = regionOf(context, exchange, "target");
  refuseOddBytes(exchange, pieces);
  for (const { sourceOffset, targetOffset, bytes } of pieces) {
    // WebGPU cannot copy within a buffer; a collective in place leaves its own piece where it is.
    const [from, to] = [source.offset + sourceOffset, target.offset + targetOffset];
    if (source.buffer === target.buffer && from === to) continue;
    context.encoder().copyBufferToBuffer(source.buffer, from, target.buffer, to, bytes);
  }
}

async function sendAway(context: CollectiveContext, exchange: Exchange, i: number): Promise<void> {
  const message = messageOf(exchange, i);
  if (message.bytes === 0) return;
  const source = regionOf(context, exchange, "send");
  const staging = regionOf(context, exchange, "staging").buffer;
  const staged = exchange.same ? message.parts.slice(0, 1) : message.parts;
  for (const part of staged) {
    let offset = part.messageOffset;
    for (const { sourceOffset, bytes } of part.pieces) {
      const from = source.offset + sourceOffset;
      context.encoder().copyBufferToBuffer(source.buffer, from, staging, offset, bytes);
      offset += bytes;
    }
  }
  const readers = message.parts.map(({ reader }) => reader);
  await readStaging(context, staging, message.bytes, async (view) =>
    postBytes(context, exchange.channel, readers, view),
  );
}

async function takeIn(context: CollectiveContext, exchange: Exchange): Promise<void> {
  const { communicator, queue, rank } = context;
  const { channel, from } = exchange;
  // Kernels of this batch may still read what is about to be overwritten.
  context.submit();
  for (const [i, source] of from.entries()) {
    if (source === rank) continue;
    const part = messageOf(exchange, i).parts.find(({ reader }) => reader === rank);
    if (part === undefined) continue;
    const target = regionOf(context, exchange, "target");
    context.enter("wait");
    const view = await communicator.receive(channel, source);
    context.enter("upload");
    let offset = view.byteOffset + part.messageOffset;
    for (const { targetOffset, bytes } of part.pieces) {
      queue.writeBuffer(target.buffer, target.offset + targetOffset, view.buffer, offset, bytes);
      offset += bytes;
    }
    communicator.release(channel, source);
    context.enter("host");
  }
}

/** The message of member i of `from`; the same on the rank that sends and on those that read. */
function messageOf(exchange: Exchange, i: number): Message {
  const parts: Part[] = [];
  let bytes = 0;
  for (const [j, reader] of exchange.to.entries()) {
    if (reader === exchange.from[i]) continue;
    const pieces = exchange.pieces(i, j);
    refuseOddBytes(exchange, pieces);
    const length = bytesOf(pieces);
    if (length === 0) continue;
    parts.push({ reader, messageOffset: exchange.same ? 0 : bytes, pieces });
    bytes = exchange.same ? length : bytes + length;
  }
  return { bytes, parts };
}

function refuseOddBytes({ name }: Exchange, pieces: readonly Piece[]): void {
  const odd = pieces.find(({ bytes }) => bytes % 4 !== 0);
  if (odd !== undefined) {
    throw new Error(`${name}: a piece of ${odd.bytes} bytes; GPU copies need multiples of 4`);
  }
}

function regionOf(
  context: CollectiveContext,
  exchange: Exchange,
  role: "send" | "target" | "staging",
): BufferRegion {
  const id = exchange[role];
  if (id === undefined) {
    throw new Error(`${exchange.name}: rank ${context.rank} takes part without a ${role} buffer`);
  }
  return context.region(id);
}
