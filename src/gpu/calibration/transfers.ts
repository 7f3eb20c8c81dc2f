// How fast bytes move by commands: within an adapter, and between it and the host.

import { NumericsError } from "../../numerics_error.ts";
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
  { x, y, sent }: StreamingBuffers,
  budgetMs: number,
): Promise<TransferCeilings> {
  const { device } = gpu;
  const bytes = sent.byteLength;
  const { COPY_DST, COPY_SRC, MAP_READ, MAP_WRITE } = GPUBufferUsage;
  const arrived = new Uint8Array(bytes);
  const staging = await gpu.createBuffer("calibration readback", bytes, COPY_DST | MAP_READ);
  const mapped = await gpu.createBuffer("calibration upload", bytes, COPY_SRC | MAP_WRITE);
  const copy = (from: GPUBuffer, to: GPUBuffer): void => {
    const encoder = device.createCommandEncoder({ label: "calibration transfer" });
    encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    device.queue.submit([encoder.finish()]);
  };
  const done = async (): Promise<void> => awaitGpu(gpu, device.queue.onSubmittedWorkDone());
  const clear = (buffer: GPUBuffer): void => {
    const encoder = device.createCommandEncoder({ label: "calibration clear" });
    encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
  };
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
        else clear(target);
        await run();
        gpu.check();
        const got = target === undefined ? arrived : new Uint8Array(await readBuffer(gpu, target));
        if (Buffer.compare(got, new Uint8Array(sent.buffer)) === 0) return;
        throw new NumericsError(`bytes that moved by ${name} have changed`, 1, 0);
      },
    };
  };
  try {
    const upload = await measureRate(
      [
        timed(
          "writeBuffer",
          async () => {
            device.queue.writeBuffer(x, 0, sent);
            device.queue.submit([]);
            await done();
          },
          x,
        ),
        timed(
          "a mapped buffer and a copy",
          async () => {
            await awaitGpu(gpu, mapped.mapAsync(GPUMapMode.WRITE));
            new Uint32Array(mapped.getMappedRange()).set(sent);
            mapped.unmap();
            copy(mapped, x);
            await done();
          },
          x,
        ),
      ],
      budgetMs,
    );
    const within = await measureRate(
      [
        {
          ...timed(
            "copyBufferToBuffer",
            async () => {
              copy(x, y);
              await done();
            },
            y,
          ),
          work: 2 * bytes,
        },
      ],
      budgetMs,
    );
    const readback = await measureRate(
      [
        timed("a copy to a mapped buffer", async () => {
          copy(y, staging);
          await awaitGpu(gpu, staging.mapAsync(GPUMapMode.READ));
          arrived.set(new Uint8Array(staging.getMappedRange()));
          staging.unmap();
        }),
      ],
      budgetMs,
    );
    return { bufferCopy: within, upload, readback };
  } finally {
    gpu.destroyBuffer(staging);
    gpu.destroyBuffer(mapped);
  }
}
