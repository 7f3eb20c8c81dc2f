// Sums of few elements: every reader's host adds the messages and writes the sum. Its own summand is read back
// anyway, on its way to the others, and a kernel would cost several times what the rest of it takes.

import { fromHalf, toHalf } from "../kernels/half.ts";
import { bytesPerElement, type StorageType } from "../kernels/storage.ts";
import { blocksOf, chunksOf } from "../program/exchange/chunks.ts";
import type { Parts } from "./parts.ts";
import type { ReduceRun } from "./reduce.ts";
import { sendChunks } from "./send.ts";

/** The same bits as from `reduce_sum`: in f32, in the order of the ranks, rounded to storage at the end. */
export async function addOnHost(
  parts: Parts,
  run: ReduceRun,
  receive: string | undefined,
): Promise<void> {
  const { exchange, lane, dtype, send } = run;
  const { name, from, to, pieces } = exchange;
  const i = from.indexOf(parts.rank);
  const j = to.indexOf(parts.rank);
  let tellOwn = (_: Uint8Array<ArrayBuffer>): void => {};
  const own = new Promise<Uint8Array<ArrayBuffer>>((resolve) => (tellOwn = resolve));
  const chunks = i < 0 ? [] : chunksOf(exchange, i);
  const fill = (message: Uint8Array, read: Uint8Array): void => {
    message.set(read);
    tellOwn(read.slice());
  };
  const sending = sendChunks(parts, { name, lane, send, chunks, fill });
  const adding = async (): Promise<void> => {
    const [block] = pieces(0, j).flatMap(blocksOf);
    if (block === undefined) return;
    if (receive === undefined) throw new Error(`${name}: rank ${parts.rank} has no receive buffer`);
    // A kernel begins with the first summand; what is added to -0 stays as it is, -0 itself among it.
    const sum = new Float32Array(block.bytes / bytesPerElement(dtype)).fill(-0);
    for (const source of from) {
      if (source === parts.rank) {
        const bytes = await own;
        parts.during("move", () => addTo(sum, bytes, dtype));
        continue;
      }
      const { bytes, release } = await parts.communicator.receive(lane, source);
      parts.during("move", () => addTo(sum, bytes, dtype));
      release();
    }
    // Kernels of the batch may still read what is about to be overwritten.
    parts.submit();
    parts.during("upload", () => {
      const { buffer, offset } = parts.region(receive);
      const stored = dtype === "f16" ? Uint16Array.from(sum, toHalf) : sum;
      parts.queue.writeBuffer(buffer, offset + block.targetOffset, stored);
    });
    run.onSummed();
  };
  await Promise.all([sending, j < 0 ? undefined : adding()]);
}

function addTo(sum: Float32Array, bytes: Uint8Array<ArrayBuffer>, dtype: StorageType): void {
  const values = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "f16") {
    for (let e = 0; e < sum.length; e++) sum[e]! += fromHalf(values.getUint16(2 * e, true));
  } else {
    for (let e = 0; e < sum.length; e++) sum[e]! += values.getFloat32(4 * e, true);
  }
}
