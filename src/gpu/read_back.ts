// Copies a buffer's contents to the host, for checks.

import type { LogicalGpu } from "./logical_gpu.ts";
import { awaitGpu } from "./patience.ts";

/** `offset` and `bytes` are multiples of 4; the buffer needs `COPY_SRC`. */
export async function readBuffer(
  gpu: LogicalGpu,
  buffer: GPUBuffer,
  bytes: number = buffer.size,
  offset = 0,
): Promise<ArrayBuffer> {
  const staging = await gpu.createBuffer(
    `${buffer.label} readback`,
    bytes,
    GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  );
  try {
    const encoder = gpu.device.createCommandEncoder({ label: staging.label });
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    gpu.device.queue.submit([encoder.finish()]);
    await awaitGpu(gpu, staging.mapAsync(GPUMapMode.READ));
    gpu.check();
    return staging.getMappedRange().slice(0);
  } finally {
    gpu.destroyBuffer(staging);
  }
}
