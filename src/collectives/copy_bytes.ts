// Bytes from one place of a GPU to another.

import type { BufferRegion } from "./buffer_region.ts";

export interface BytePlace {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/**
 * Whole words. From each place of a buffer to another of the same they go by way of `through`, as much at a time as that
 * takes.
 *
 * @throws Error where that is needed and not there
 */
export function copyBytes(
  encoder: GPUCommandEncoder,
  source: BytePlace,
  target: BytePlace,
  bytes: number,
  through: BufferRegion | undefined,
): void {
  if (source.buffer !== target.buffer) {
    encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, bytes);
    return;
  }
  if (through === undefined) throw new Error("a copy within a buffer goes through another");
  const { buffer, offset, size } = through;
  for (let done = 0; done < bytes; done += size) {
    const part = Math.min(size, bytes - done);
    encoder.copyBufferToBuffer(source.buffer, source.offset + done, buffer, offset, part);
    encoder.copyBufferToBuffer(buffer, offset, target.buffer, target.offset + done, part);
  }
}
