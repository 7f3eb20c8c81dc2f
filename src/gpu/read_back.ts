// Copies a buffer's contents to the host, for checks.

import type { LogicalGpu } from "./logical_gpu.ts";
import { awaitGpu } from "./patience.ts";

/** Multiples of 4; the buffer needs `COPY_SRC`. */
export interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

export async function readBuffer(
  gpu: LogicalGpu,
  buffer: GPUBuffer,
  bytes: number = buffer.size,
  offset = 0,
): Promise<ArrayBuffer> {
  const reader = createReader(gpu, buffer.label);
  try {
    return await reader.read(buffer, [{ offset, bytes }]);
  } finally {
    reader.destroy();
  }
}

/** Reads again and again through one mappable buffer; one read at a time. */
export interface Reader {
  /** The ranges one after the other. */
  read(buffer: GPUBuffer, ranges: readonly ByteRange[]): Promise<ArrayBuffer>;
  destroy(): void;
}

export function createReader(gpu: LogicalGpu, label: string): Reader {
  let staging: GPUBuffer | undefined;
  const destroy = (): void => {
    if (staging !== undefined) gpu.destroyBuffer(staging);
    staging = undefined;
  };
  const roomFor = async (bytes: number): Promise<GPUBuffer> => {
    if (staging !== undefined && staging.size >= bytes) return staging;
    destroy();
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    staging = await gpu.createBuffer(`${label} readback`, bytes, usage);
    return staging;
  };
  return {
    async read(buffer, ranges) {
      const all = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
      if (all === 0) return new ArrayBuffer(0);
      const target = await roomFor(all);
      const encoder = gpu.device.createCommandEncoder({ label: target.label });
      let at = 0;
      for (const { offset, bytes } of ranges) {
        encoder.copyBufferToBuffer(buffer, offset, target, at, bytes);
        at += bytes;
      }
      gpu.device.queue.submit([encoder.finish()]);
      await awaitGpu(gpu, target.mapAsync(GPUMapMode.READ, 0, all));
      gpu.check();
      const copy = target.getMappedRange(0, all).slice(0);
      target.unmap();
      return copy;
    },
    destroy,
  };
}
