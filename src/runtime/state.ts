// What a training step changes for the next one: weights, moments, counters. Before each step that is timed or checked they
// are set to what they were at first, so that all such steps do the same and the bits of their results can be compared. Not
// so gradients: an update leaves them cleared, and where a timed step left it out the next one's norm is another. With ZeRO
// they are cleared apart from it: of timed steps nothing tells whether rows were moved and gathered.

import { setImmediate } from "node:timers/promises";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { awaitGpu } from "../gpu/patience.ts";
import type { ContentSource } from "../program/content_source.ts";
import type { BufferDeclaration, RankProgram } from "../program/program.ts";
import { createFiller, fillBytes } from "./fill.ts";
import type { PreparedProgram } from "./prepare.ts";

/** Larger ones are made anew each time, on the GPU. */
const keptBytes = 2 ** 20;

export interface State {
  /** Nothing where a step leaves all as it was. @param isUpdated whether the step before was whole, up to its updates */
  restore(isUpdated?: boolean): Promise<void>;
}

export async function createState(
  gpu: LogicalGpu,
  { rank, buffers, instructions }: RankProgram,
  { region }: Pick<PreparedProgram, "region">,
  source: ContentSource,
  onProgress: () => void,
): Promise<State> {
  const isChanged = buffers.some(({ role }) => role === "optimizer");
  if (!isChanged) return { restore: async () => undefined };
  const moved = new Set(
    instructions.flatMap((each) => {
      if (each.origin.phase !== "update") return [];
      if (each.op === "kernel") return each.buffers;
      // What others have moved of a weight.
      return each.op === "all-gather" ? (each.receive ?? []) : [];
    }),
  );
  const all = buffers.filter(({ id, role }) => role === "gradient" || moved.has(id));
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { id, bytes, content, dtype } of all) {
    if (content === undefined || bytes > keptBytes) continue;
    kept.set(id, await fillBytes(content, source, dtype, onProgress));
    await setImmediate();
  }
  return {
    async restore(isUpdated = false) {
      const own = isUpdated ? all.filter(({ role }) => role !== "gradient") : all;
      const { queue } = gpu.device;
      const filler = createFiller(gpu, `rank ${rank}`, source);
      const encoder = gpu.device.createCommandEncoder({ label: `rank ${rank} state` });
      const made: BufferDeclaration[] = [];
      for (const declaration of own) {
        const { buffer, offset, size } = region(declaration.id);
        const bytes = kept.get(declaration.id);
        if (bytes !== undefined) queue.writeBuffer(buffer, offset, bytes);
        else if (declaration.content === undefined) encoder.clearBuffer(buffer, offset, size);
        else made.push(declaration);
      }
      queue.submit([encoder.finish()]);
      for (const { id, content, dtype } of made) {
        if (content !== undefined) await filler.fill(region(id).buffer, content, dtype, onProgress);
      }
      await awaitGpu(gpu, queue.onSubmittedWorkDone());
      filler.destroy();
    },
  };
}
