// Sums of few elements: every reader's host adds the messages and writes the sum. Its own summand is read back
// anyway, on its way to the others, and a kernel would cost several times what the rest of it takes.

import { fromHalf, toHalf } from "../kernels/half.ts";
import { bytesPerElement, type StorageType } from "../kernels/storage.ts";
import type { AllReduce } from "../program/program.ts";
import { laneOf } from "./lanes.ts";
import type { Parts } from "./parts.ts";
import { sendChunks } from "./send.ts";

/** The same bits as from `reduce_sum`: in f32, in the order of the ranks, rounded to storage at the end. */
export async function addOnHost(parts: Parts, reduction: AllReduce): Promise<void> {
  const { name, channel, dtype, count, from, to, send, receive } = reduction;
  const { rank } = parts;
  const lane = laneOf(channel, 0);
  const bytes = count * bytesPerElement(dtype);
  if (bytes === 0) return;
  let tellOwn = (_: Uint8Array<ArrayBuffer>): void => {};
  const own = new Promise<Uint8Array<ArrayBuffer>>((resolve) => (tellOwn = resolve));
  const fill = (message: Uint8Array, read: Uint8Array<ArrayBuffer>): void => {
    message.set(read);
    tellOwn(read.slice());
  };
  // All of it is one message; the cuts of larger ones are not worth working out.
  const readers = from.includes(rank) ? to.filter((reader) => reader !== rank) : [];
  const take = { chunkOffset: 0, sourceOffset: 0, targetOffset: 0, head: 0, words: bytes, bytes };
  const chunks = readers.length === 0 ? [] : [{ bytes, takes: [{ ...take, readers }] }];
  const sending = sendChunks(parts, { name, lane, send, chunks, fill });
  const adding = async (): Promise<void> => {
    if (receive === undefined) throw new Error(`${name}: rank ${rank} has no receive buffer`);
    // A kernel begins with the first summand; what is added to -0 stays as it is, -0 itself among it.
    const sum = new Float32Array(count).fill(-0);
    for (const source of from) {
      if (source === rank) {
        const read = await own;
        parts.during("move", () => addTo(sum, read, dtype));
        continue;
      }
      const arrival = await parts.communicator.receive(lane, source);
      parts.during("move", () => addTo(sum, arrival.bytes, dtype));
      arrival.release();
    }
    // Kernels of the batch may still read what is about to be overwritten.
    parts.submit();
    parts.during("upload", () => {
      const { buffer, offset } = parts.region(receive);
      const stored = dtype === "f16" ? Uint16Array.from(sum, toHalf) : sum;
      parts.queue.writeBuffer(buffer, offset, stored);
    });
  };
  await Promise.all([sending, to.includes(rank) ? adding() : undefined]);
}

function addTo(sum: Float32Array, bytes: Uint8Array<ArrayBuffer>, dtype: StorageType): void {
  const values = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "f16") {
    for (let e = 0; e < sum.length; e++) sum[e]! += fromHalf(values.getUint16(2 * e, true));
  } else {
    for (let e = 0; e < sum.length; e++) sum[e]! += values.getFloat32(4 * e, true);
  }
}
