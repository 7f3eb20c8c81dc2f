// A rank's memory: exactly the buffers that its program declares, filled with what they hold at first.

import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import type { ContentSource } from "../program/content_source.ts";
import type { BufferDeclaration, BufferRole } from "../program/program.ts";
import { createFiller } from "./fill.ts";

export async function allocateBuffers(
  gpu: LogicalGpu,
  rank: number,
  declarations: readonly BufferDeclaration[],
  source: ContentSource,
  onProgress: () => void,
): Promise<Map<string, GPUBuffer>> {
  const buffers = new Map<string, GPUBuffer>();
  const filler = createFiller(gpu, `rank ${rank}`, source);
  for (const { id, bytes, role, content, dtype, within } of declarations) {
    if (within !== undefined) continue;
    const buffer = await gpu.createBuffer(`rank ${rank} ${role} ${id}`, bytes, usageOf(role));
    if (content !== undefined) await filler.fill(buffer, content, dtype, onProgress);
    buffers.set(id, buffer);
    onProgress();
  }
  filler.destroy();
  return buffers;
}

function usageOf(role: BufferRole): GPUBufferUsageFlags {
  return role === "staging"
    ? GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
    : GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
