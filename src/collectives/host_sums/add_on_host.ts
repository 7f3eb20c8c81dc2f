// Sums of few elements: every reader's host adds the messages and writes the sum. Its own summand is read back
// anyway, on its way to the others, and a kernel would cost several times what the rest of it takes.

import { floatsOfHalves, halvesOfFloats } from "../../kernels/half.ts";
import { bytesPerElement, type StorageType } from "../../kernels/storage.ts";
import { laneOf } from "../../program/exchange/lanes.ts";
import type { AllReduce } from "../../program/program.ts";
import type { Parts } from "../parts.ts";
import { sendChunks } from "../send.ts";
import { sumFloats } from "./sum_floats.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The same bits as from `reduce_sum`: in f32, in the order of the ranks, rounded to storage at the end. */
export async function addOnHost(parts: Parts, reduction: AllReduce): Promise<void> {
  const { name, channel, dtype, count, from, to, send, receive } = reduction;
  const { rank, communicator } = parts;
  const lane = laneOf(channel, 0);
  const bytes = count * bytesPerElement(dtype);
  if (bytes === 0) return;
  let own: Float32Array | undefined;
  const fill = (message: Bytes, read: Bytes): void => {
    message.set(read);
    own = floatsOf(read, dtype);
  };
  // All of it is one message; the cuts of larger ones are not worth working out.
  const readers = from.includes(rank) ? to.filter((reader) => reader !== rank) : [];
  const whole = { chunkOffset: 0, sourceOffset: 0, targetOffset: 0, head: 0, words: bytes, bytes };
  const chunks = readers.length === 0 ? [] : [{ bytes, segments: [{ ...whole, readers }] }];
  // Others wait for it: it leaves before anything is added.
  await sendChunks(parts, { name, lane, send, chunks, fill });
  if (!to.includes(rank)) return;
  if (receive === undefined) throw new Error(`${name}: rank ${rank} has no receive buffer`);
  const received = await Promise.all(
    from.map(async (source) =>
      source === rank ? undefined : communicator.receive(lane, source, bytes),
    ),
  );
  const sum = parts.during("move", () => {
    const target = new Float32Array(count);
    const summands = received.map((each) => {
      const summand = each === undefined ? own : floatsOf(each.bytes, dtype);
      if (summand === undefined) throw new Error(`${name}: rank ${rank} has not read its summand`);
      return summand;
    });
    sumFloats(target, summands);
    for (const each of received) each?.release();
    return target;
  });
  // Kernels of the batch may still read what is about to be overwritten.
  parts.submit();
  parts.during("upload", () => {
    const { buffer, offset } = parts.region(receive);
    parts.queue.writeBuffer(buffer, offset, dtype === "f16" ? halvesOfFloats(sum) : sum);
  });
}

/** A copy. */
function floatsOf(bytes: Bytes, dtype: StorageType): Float32Array<ArrayBuffer> {
  const { buffer } = bytes.slice();
  return dtype === "f32" ? new Float32Array(buffer) : floatsOfHalves(new Uint16Array(buffer));
}
