// A rank's memory: exactly the buffers that its program declares, filled with what they hold at first.

import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import type { ContentSource } from "../program/content_source.ts";
import type { BufferDeclaration, BufferRole } from "../program/program.ts";
import { createFiller } from "./fill.ts";

/** @param held buffers that are there already, and hold what the program wants: they are taken as they are */
export async function allocateBuffers(
  gpu: LogicalGpu,
  rank: number,
  declarations: readonly BufferDeclaration[],
  source: ContentSource,
  onProgress: () => void,
  held: ReadonlyMap<string, GPUBuffer> = new Map(),
): Promise<Map<string, GPUBuffer>> {
  const buffers = new Map(held);
  const filler = createFiller(gpu, `rank ${rank}`, source);
  try {
    for (const { id, bytes, role, content, dtype, within } of declarations) {
      if (within !== undefined || held.has(id)) continue;
      const buffer = await gpu.createBuffer(`rank ${rank} ${role} ${id}`, bytes, usageOf(role));
      buffers.set(id, buffer);
      if (content !== undefined) await filler.fill(buffer, content, dtype, onProgress);
      onProgress();
    }
  } catch (error) {
    for (const [id, buffer] of buffers) if (!held.has(id)) gpu.destroyBuffer(buffer);
    throw error;
  } finally {
    filler.destroy();
  }
  return buffers;
}

function usageOf(role: BufferRole): GPUBufferUsageFlags {
  return role === "staging"
    ? GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
    : GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
