// How fast bytes move by commands: within an adapter, and between it and the host.

import { NumericsError } from "../../numerics_error.ts";
import type { LogicalGpu } from "../logical_gpu.ts";
import { awaitGpu } from "../patience.ts";
import { readBuffer } from "../read_back.ts";
import { hostMs } from "../timestamps.ts";
import type { CeilingRuns } from "./calibration.ts";
import { measureRate, type MicroVariant } from "./measure_rate.ts";
import type { StreamingBuffers } from "./memory.ts";
import type { Bench } from "./micro_kernel.ts";

export interface TransferCeilings {
  readonly bufferCopy: CeilingRuns | undefined;
  readonly upload: CeilingRuns | undefined;
  readonly readback: CeilingRuns | undefined;
}

/** Times are the host's, from the first call until the bytes are where they should be. */
export async function measureTransfers(
  { gpu }: Bench,
  buffers: StreamingBuffers,
  budgetMs: number,
): Promise<TransferCeilings> {
  const bytes = buffers.sent.byteLength;
  const { COPY_DST, COPY_SRC, MAP_READ, MAP_WRITE } = GPUBufferUsage;
  const staging = await gpu.createBuffer("calibration readback", bytes, COPY_DST | MAP_READ);
  const mapped = await gpu.createBuffer("calibration upload", bytes, COPY_SRC | MAP_WRITE);
  const { writeBuffer, throughMapped, copyWithin, readBack } = moves(gpu, buffers, staging, mapped);
  try {
    const upload = await measureRate([writeBuffer, throughMapped], budgetMs);
    const bufferCopy = await measureRate([{ ...copyWithin, work: 2 * bytes }], budgetMs);
    const readback = await measureRate([readBack], budgetMs);
    return { bufferCopy, upload, readback };
  } finally {
    gpu.destroyBuffer(staging);
    gpu.destroyBuffer(mapped);
  }
}

/** Each way of a byte; `staging` is mapped for reading, `mapped` for writing. */
function moves(
  gpu: LogicalGpu,
  { x, y, sent }: StreamingBuffers,
  staging: GPUBuffer,
  mapped: GPUBuffer,
) {
  const { device } = gpu;
  const bytes = sent.byteLength;
  const arrived = new Uint8Array(bytes);
  const encode = (label: string, record: (encoder: GPUCommandEncoder) => void): void => {
    const encoder = device.createCommandEncoder({ label: `calibration ${label}` });
    record(encoder);
    device.queue.submit([encoder.finish()]);
  };
  const copy = (from: GPUBuffer, to: GPUBuffer): void =>
    encode("transfer", (encoder) => encoder.copyBufferToBuffer(from, 0, to, 0, bytes));
  const done = async (): Promise<void> => awaitGpu(gpu, device.queue.onSubmittedWorkDone());
  const timed = (name: string, move: () => Promise<void>, target?: GPUBuffer): MicroVariant => {
    const run = async (): Promise<number> => {
      const before = hostMs();
      await move();
      return hostMs() - before;
    };
    return {
      name,
      work: bytes,
      run,
      async verify() {
        if (target === undefined) arrived.fill(0);
        else encode("clear", (encoder) => encoder.clearBuffer(target));
        await run();
        gpu.check();
        const got = target === undefined ? arrived : new Uint8Array(await readBuffer(gpu, target));
        if (Buffer.compare(got, new Uint8Array(sent.buffer)) === 0) return;
        throw new NumericsError(`bytes that moved by ${name} have changed`, 1, 0);
      },
    };
  };
  const write = async (): Promise<void> => {
    device.queue.writeBuffer(x, 0, sent);
    device.queue.submit([]);
    await done();
  };
  const writeMapped = async (): Promise<void> => {
    await awaitGpu(gpu, mapped.mapAsync(GPUMapMode.WRITE));
    new Uint32Array(mapped.getMappedRange()).set(sent);
    mapped.unmap();
    copy(mapped, x);
    await done();
  };
  const copyOn = async (): Promise<void> => {
    copy(x, y);
    await done();
  };
  const read = async (): Promise<void> => {
    copy(y, staging);
    await awaitGpu(gpu, staging.mapAsync(GPUMapMode.READ));
    arrived.set(new Uint8Array(staging.getMappedRange()));
    staging.unmap();
  };
  return {
    writeBuffer: timed("writeBuffer", write, x),
    throughMapped: timed("a mapped buffer and a copy", writeMapped, x),
    copyWithin: timed("copyBufferToBuffer", copyOn, y),
    readBack: timed("a copy to a mapped buffer", read),
  };
}
