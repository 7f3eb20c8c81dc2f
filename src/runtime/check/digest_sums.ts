// Sums over steps of the digests of some memory, made on the GPU.

import type { BufferRegion } from "../../collectives/buffer_region.ts";
import type { LogicalGpu, PreparedKernel } from "../../gpu/logical_gpu.ts";
import { awaitGpu } from "../../gpu/patience.ts";
import { type Digest, digest } from "../../kernels/digest.ts";
import { inBatches } from "../in_batches.ts";

export interface DigestSums {
  /** Each adds the digest of one region to its sums. */
  readonly kernels: readonly PreparedKernel[];
  /** Sets all sums to 0. */
  clear(): void;
  /** In the order of the regions. */
  read(): Promise<Digest[]>;
}

/** Bytes from one pair of sums to the next: where bindings may begin. */
const pitch = 256;

/** Their memory belongs to the measurement and is not counted in `LogicalGpu.memory`. */
export async function createDigestSums(
  gpu: LogicalGpu,
  label: string,
  regions: readonly BufferRegion[],
  onProgress: () => void,
): Promise<DigestSums> {
  const { device } = gpu;
  const size = Math.max(1, regions.length) * pitch;
  const sums = device.createBuffer({
    label,
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const staging = device.createBuffer({
    label: `${label} staging`,
    size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const kernels: PreparedKernel[] = [];
  await inBatches(
    regions.entries(),
    async ([place, words]) => {
      const bound = [words, { buffer: sums, offset: place * pitch, size: 8 }];
      kernels[place] = await gpu.prepare(digest, { words: words.size / 4 }, "f32", bound, label);
    },
    onProgress,
  );
  return {
    kernels,
    clear() {
      device.queue.writeBuffer(sums, 0, new Uint8Array(size));
    },
    async read() {
      const encoder = device.createCommandEncoder({ label });
      encoder.copyBufferToBuffer(sums, 0, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      await awaitGpu(gpu, staging.mapAsync(GPUMapMode.READ));
      gpu.check();
      const words = new Uint32Array(staging.getMappedRange()).slice();
      staging.unmap();
      return regions.map((_, place): Digest => {
        const at = (place * pitch) / 4;
        return [words[at] ?? 0, words[at + 1] ?? 0];
      });
    },
  };
}
