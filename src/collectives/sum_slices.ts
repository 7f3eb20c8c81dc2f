// A two-shot all-reduce where kernels would run on the host's own cores: whoever owns a slice reads its own
// summand back, adds the others' straight out of the memory that they come in, and writes the sum where the
// others take it from. No summand goes to the GPU, and the sum need not be read back.

import { chunksOf, type Exchange } from "../program/exchange/chunks.ts";
import { givenIn, handedOutIn } from "../program/exchange/exchanges.ts";
import type { AllReduce } from "../program/program.ts";
import type { Arrival } from "./communicator.ts";
import { takeIn } from "./exchange.ts";
import { laneOf } from "./lanes.ts";
import type { Parts } from "./parts.ts";
import { offsetsOf } from "./reduce.ts";
import { sendChunks } from "./send.ts";
import { sumFloats } from "./sum_floats.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Arrivals = readonly (Arrival | undefined)[];

export async function sumSlices(parts: Parts, reduction: AllReduce): Promise<void> {
  const { name, channel, dtype, send, receive, from, to } = reduction;
  const chunks = chunksOf(givenIn(reduction), from.indexOf(parts.rank));
  const giving = sendChunks(parts, { name, lane: laneOf(channel, 0), send, chunks });
  const handOut = handedOutIn(reduction);
  if (handOut === undefined || !to.includes(parts.rank)) return giving;
  const sums = { exchange: handOut, lane: laneOf(channel, 1), dtype, receive };
  await Promise.all([giving, sumOwn(parts, reduction, handOut), takeIn(parts, sums)]);
}

/** The slice of this rank, block by block, to the others and to its own GPU. */
async function sumOwn(parts: Parts, reduction: AllReduce, handOut: Exchange): Promise<void> {
  const { communicator, rank, queue } = parts;
  const { name, channel, send, receive, from } = reduction;
  if (receive === undefined) throw new Error(`${name}: rank ${rank} has no receive buffer`);
  const placed = parts.region(receive);
  const given = givenIn(reduction);
  const offsets = from.map((_, member) => offsetsOf(given, member, rank));
  const chunks = chunksOf(handOut, handOut.from.indexOf(rank));
  const receiveAll = async (k: number): Promise<Arrivals> =>
    Promise.all(
      from.map(async (source) =>
        source === rank
          ? undefined
          : communicator.receive(laneOf(channel, 0), source, chunks[k]?.bytes),
      ),
    );
  const add = async (message: Bytes, own: Bytes, arrivals: Arrivals, k: number): Promise<void> => {
    await parts.roomFor(message.length);
    parts.during("move", () => {
      const target = new Float32Array(message.buffer, message.byteOffset, message.length / 4);
      const ownSummand = own === message ? target : floatsOf(own, 0, own.length);
      const summands = arrivals.map((arrival, member) =>
        arrival === undefined
          ? ownSummand
          : floatsOf(arrival.bytes, offsets[member]?.[k] ?? 0, own.length),
      );
      sumFloats(target, summands);
      for (const arrival of arrivals) arrival?.release();
    });
    parts.during("upload", () => {
      const to = placed.offset + (chunks[k]?.takes[0]?.targetOffset ?? 0);
      queue.writeBuffer(placed.buffer, to, message.buffer, message.byteOffset, message.length);
      parts.uploads.wrote(message.length);
    });
  };
  const arrived = new Map<number, Arrivals>();
  await sendChunks(parts, {
    name,
    lane: laneOf(channel, 1),
    send,
    chunks,
    ...(parts.isBeside
      ? {
          complete: async (message: Bytes, k: number) =>
            add(message, message, await receiveAll(k), k),
        }
      : {
          // All others' summands: whoever has a staging buffer must not wait for another rank.
          ready: async (k: number) => {
            arrived.set(k, await receiveAll(k));
          },
          async fill(message: Bytes, own: Bytes, k: number) {
            const arrivals = arrived.get(k) ?? [];
            arrived.delete(k);
            await add(message, own, arrivals, k);
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
