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

/** Bytes that are copied at once. */
const pieceBytes = 2 ** 26;

/** @param onPiece called whenever a piece of what is read is there */
export function createReader(
  gpu: LogicalGpu,
  label: string,
  onPiece: () => void = () => {},
): Reader {
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
      const target = await roomFor(Math.min(all, pieceBytes));
      const copy = new Uint8Array(all);
      let at = 0;
      for (const piece of piecesOf(ranges)) {
        const encoder = gpu.device.createCommandEncoder({ label: target.label });
        let length = 0;
        for (const { offset, bytes } of piece) {
          encoder.copyBufferToBuffer(buffer, offset, target, length, bytes);
          length += bytes;
        }
        gpu.device.queue.submit([encoder.finish()]);
        await awaitGpu(gpu, target.mapAsync(GPUMapMode.READ, 0, length));
        gpu.check();
        copy.set(new Uint8Array(target.getMappedRange(0, length)), at);
        target.unmap();
        at += length;
        onPiece();
      }
      return copy.buffer;
    },
    destroy,
  };
}

/** The ranges in order, so many at a time that they fit a piece. */
function* piecesOf(ranges: readonly ByteRange[]): Generator<readonly ByteRange[]> {
  let piece: ByteRange[] = [];
  let length = 0;
  for (const range of ranges) {
    for (let done = 0; done < range.bytes;) {
      const bytes = Math.min(range.bytes - done, pieceBytes - length);
      piece.push({ offset: range.offset + done, bytes });
      done += bytes;
      length += bytes;
      if (length === pieceBytes) {
        yield piece;
        [piece, length] = [[], 0];
      }
    }
  }
  if (length > 0) yield piece;
}
