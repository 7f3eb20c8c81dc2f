// A two-shot all-reduce where kernels would run on the host's own cores: whoever owns a slice reads its own
// summand back, adds the others' straight out of the memory that they come in, and writes the sum where the
// others receive it from. No summand goes to the GPU, and the sum need not be read back.

import { broadcastPhase } from "../../program/exchange/all_reduce/broadcast_phase.ts";
import { chunksOf, type Exchange } from "../../program/exchange/chunks.ts";
import { laneOf } from "../../program/exchange/lanes.ts";
import { offsetsFor, ownChunks } from "../../program/exchange/messages.ts";
import { reduceSteps } from "../../program/exchange/sums.ts";
import type { AllReduce } from "../../program/program.ts";
import type { ReceivedMessage } from "../transport/communicator.ts";
import { receiveAll } from "../exchange.ts";
import type { Parts } from "../parts.ts";
import { sendChunks } from "../send.ts";
import { sumFloats } from "./sum_floats.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** By member of `from`; none from this rank. */
type Summands = readonly (ReceivedMessage | undefined)[];

export async function sumSlices(parts: Parts, reduction: AllReduce): Promise<void> {
  const { name, channel, dtype, send, receive, to } = reduction;
  const chunks = ownChunks(reduceSteps(reduction, parts.rank));
  const sending = sendChunks(parts, { name, lane: laneOf(channel, 0), send, chunks });
  const broadcast = broadcastPhase(reduction);
  if (broadcast === undefined || !to.includes(parts.rank)) return sending;
  const sums = { exchange: broadcast, lane: laneOf(channel, 1), dtype, receive };
  await Promise.all([sending, sumOwn(parts, reduction, broadcast), receiveAll(parts, sums)]);
}

/** The slice of this rank, block by block, to the others and to its own GPU. */
async function sumOwn(parts: Parts, reduction: AllReduce, broadcast: Exchange): Promise<void> {
  const { communicator, rank, queue } = parts;
  const { name, channel, send, receive, from } = reduction;
  if (receive === undefined) throw new Error(`${name}: rank ${rank} has no receive buffer`);
  const placed = parts.region(receive);
  const offsets = from.map((source) => offsetsFor(rank, ownChunks(reduceSteps(reduction, source))));
  const chunks = chunksOf(broadcast, broadcast.from.indexOf(rank));
  const receiveSummands = async (k: number): Promise<Summands> =>
    Promise.all(
      from.map(async (source) =>
        source === rank
          ? undefined
          : communicator.receive(laneOf(channel, 0), source, chunks[k]?.bytes),
      ),
    );
  const add = async (message: Bytes, own: Bytes, received: Summands, k: number): Promise<void> => {
    await parts.roomFor(message.length);
    parts.during("move", () => {
      const target = new Float32Array(message.buffer, message.byteOffset, message.length / 4);
      const ownSummand = own === message ? target : floatsOf(own, 0, own.length);
      const summands = received.map((each, member) =>
        each === undefined
          ? ownSummand
          : floatsOf(each.bytes, offsets[member]?.[k] ?? 0, own.length),
      );
      sumFloats(target, summands);
      for (const each of received) each?.release();
    });
    parts.during("upload", () => {
      const to = placed.offset + (chunks[k]?.segments[0]?.targetOffset ?? 0);
      queue.writeBuffer(placed.buffer, to, message.buffer, message.byteOffset, message.length);
      parts.uploads.wrote(message.length);
    });
  };
  const summandsOf = new Map<number, Summands>();
  await sendChunks(parts, {
    name,
    lane: laneOf(channel, 1),
    send,
    chunks,
    ...(parts.isBeside
      ? {
          complete: async (message: Bytes, k: number) =>
            add(message, message, await receiveSummands(k), k),
        }
      : {
          // All others' summands: whoever has a staging buffer must not wait for another rank.
          ready: async (k: number) => {
            summandsOf.set(k, await receiveSummands(k));
          },
          async fill(message: Bytes, own: Bytes, k: number) {
            const received = summandsOf.get(k) ?? [];
            summandsOf.delete(k);
            await add(message, own, received, k);
          },
        }),
  });
}

/** A copy where a message came over a pipe and lies at no multiple of four. */
function floatsOf(
  { buffer, byteOffset }: Uint8Array<ArrayBuffer>,
  offset: number,
  bytes: number,
): Float32Array {
  const begin = byteOffset + offset;
  if (begin % 4 === 0) return new Float32Array(buffer, begin, bytes / 4);
  return new Float32Array(buffer.slice(begin, begin + bytes));
}
