// Sums over all steps of what each micro-batch's result was, made on the GPU as part of every step: timed steps have no
// others, and leave nothing else of all but the last micro-batch. What they cost is one read of the result.

import type { BufferRegion } from "../../collectives/buffer_region.ts";
import type { LogicalGpu, PreparedKernel } from "../../gpu/logical_gpu.ts";
import { awaitGpu } from "../../gpu/patience.ts";
import { inBatches } from "../in_batches.ts";
import { type Digest, digest } from "../../kernels/digest.ts";
import { isResult } from "../../program/observation.ts";
import { type ObserveInstruction, type RankProgram } from "../../program/program.ts";

export interface Digests {
  /** By index of the instruction that shows a result. */
  readonly kernels: ReadonlyMap<number, PreparedKernel>;
  /** Sets all sums to 0. */
  clear(): void;
  read(): Promise<ResultDigest[]>;
}

/** Of one result of one micro-batch, summed up over steps. */
export interface ResultDigest {
  readonly layer: string;
  readonly microBatch: number;
  readonly observation: ObserveInstruction["observation"];
  readonly sums: Digest;
}

/** Bytes from one pair of sums to the next: where bindings may begin. */
const pitch = 256;

/** Their memory belongs to the measurement and is not counted in `LogicalGpu.memory`. */
export async function createDigests(
  gpu: LogicalGpu,
  { rank, instructions }: RankProgram,
  region: (id: string) => BufferRegion,
  onProgress: () => void,
): Promise<Digests> {
  const { device } = gpu;
  const results = [...instructions.entries()].flatMap(([index, instruction]) =>
    instruction.op === "observe" && isResult(instruction.observation)
      ? [{ index, instruction }]
      : [],
  );
  const label = `rank ${rank} digests`;
  const size = Math.max(1, results.length) * pitch;
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
  const kernels = new Map<number, PreparedKernel>();
  await inBatches(
    results.entries(),
    async ([place, { index, instruction }]) => {
      const words = region(instruction.buffer);
      const bound = [words, { buffer: sums, offset: place * pitch, size: 8 }];
      const shape = { words: words.size / 4 };
      kernels.set(index, await gpu.prepare(digest, shape, "f32", bound, label));
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
      return results.map(({ instruction: { origin, observation } }, place) => {
        const at = (place * pitch) / 4;
        return {
          layer: origin.layer,
          microBatch: origin.microBatch,
          observation,
          sums: [words[at] ?? 0, words[at + 1] ?? 0],
        };
      });
    },
  };
}
