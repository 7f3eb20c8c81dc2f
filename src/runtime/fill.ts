// Fills buffers with their first content, in pieces short enough that the rank is heard between them: on the GPU
// where that is faster, else on the host.

import { setImmediate } from "node:timers/promises";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { awaitGpu } from "../gpu/patience.ts";
import { fillUniform } from "../kernels/fill_uniform.ts";
import { bytesPerElement, type DType, type StorageType } from "../kernels/storage.ts";
import type { Content, RegionContent } from "../program/content.ts";
import {
  asThree,
  regionColumns,
  type ContentSource,
  regionRows,
} from "../program/content_source.ts";
import { contentBlocks, contentBytes, partsOf, pitchOf } from "../program/content_values.ts";
import { tensorKey } from "../program/hash_source.ts";

/** What a dispatch costs beside its work is little against that. */
const leastOnGpu = 2 ** 20;

/** Words of one submission: moments, also on a software adapter. */
const submittedWords = 2 ** 22;

export interface Filler {
  /** @param onProgress called between pieces */
  fill(buffer: GPUBuffer, content: Content, dtype: DType, onProgress: () => void): Promise<void>;
  destroy(): void;
}

export function createFiller(gpu: LogicalGpu, label: string, source: ContentSource): Filler {
  const { queue } = gpu.device;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  // Gone before anything runs, and so not counted.
  const described = gpu.device.createBuffer({ label, size: 4 * partWords, usage });

  const onGpu = async (
    buffer: GPUBuffer,
    parts: readonly HashedContent[],
    dtype: StorageType,
    onProgress: () => void,
  ): Promise<void> => {
    const shape = { dtype, words: submittedWords };
    const bound = [described, buffer];
    const kernel = await gpu.prepare(fillUniform, shape, dtype, bound, `${label} fill`);
    const wordsOf = (elements: number): number => (elements * bytesPerElement(dtype)) / 4;
    const pitch = wordsOf(parts.reduce((sum, { part }) => sum + pitchOf(part), 0));
    let start = 0;
    for (const part of parts) {
      const width = wordsOf(pitchOf(part.part));
      const all = regionRows(part.part) * width;
      for (let first = 0; first < all; first += submittedWords) {
        const end = Math.min(all, first + submittedWords);
        queue.writeBuffer(described, 0, describe(part, [pitch, start, width, first, end]));
        const encoder = gpu.device.createCommandEncoder({ label: `${label} fill` });
        const pass = encoder.beginComputePass();
        kernel.encode(pass);
        pass.end();
        queue.submit([encoder.finish()]);
        await awaitGpu(gpu, queue.onSubmittedWorkDone());
        onProgress();
      }
      start += width;
    }
  };

  return {
    async fill(buffer, content, dtype, onProgress) {
      const parts = partsOf(content);
      const hashed = parts.flatMap((part) => hashedProduct(part, source));
      if (dtype !== "u32" && buffer.size >= leastOnGpu && hashed.length === parts.length) {
        await onGpu(buffer, hashed, dtype, onProgress);
        return;
      }
      await onHost(content, source, dtype, onProgress, (block, offset) =>
        queue.writeBuffer(buffer, offset, block),
      );
    },
    destroy: () => described.destroy(),
  };
}

/** The bytes of a content, made in the same pieces. */
export async function fillBytes(
  content: Content,
  source: ContentSource,
  dtype: DType,
  onProgress: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(contentBytes(content, dtype));
  await onHost(content, source, dtype, onProgress, (block, offset) => bytes.set(block, offset));
  return bytes;
}

async function onHost(
  content: Content,
  source: ContentSource,
  dtype: DType,
  onProgress: () => void,
  put: (block: Uint8Array<ArrayBuffer>, offset: number) => void,
): Promise<void> {
  for (const { offset, bytes } of contentBlocks(content, source, dtype)) {
    put(bytes, offset);
    onProgress();
    await setImmediate();
  }
}

interface HashedContent {
  readonly part: Extract<RegionContent, { kind: "uniform" }>;
  readonly seed: number;
}

/** A region whose elements are one product each, which every adapter rounds alike; else none. */
function hashedProduct(part: RegionContent, source: ContentSource): HashedContent[] {
  if (part.kind !== "uniform" || part.center !== 0) return [];
  const seed = source.seedOf(part);
  return seed === undefined ? [] : [{ part, seed }];
}

const partWords = 14;

/** `Part` of shaders/contents/uniform.wgsl. */
function describe(
  { part, seed }: HashedContent,
  place: readonly number[],
): Uint32Array<ArrayBuffer> {
  const [, tensorRows, tensorColumns] = asThree(part.shape, 1);
  const [depth, row, column] = asThree(part.offset, 0);
  const [, rows] = asThree(part.size, 1);
  const extents = [tensorRows, tensorColumns, depth, row, column, rows, regionColumns(part)];
  const words = Uint32Array.of(tensorKey(part.tensor, seed), 0, ...extents, ...place);
  new Float32Array(words.buffer)[1] = part.scale;
  return words;
}
