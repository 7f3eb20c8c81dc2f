// What a training step changes for the next one: weights, moments, counters, and gradients, which an update leaves cleared.
// Before each step that is timed or checked they are set to what they were at first, so that all such steps do the same and
// the bits of their results can be compared. What a step left of them is part of its result: nothing else tells whether
// weights were moved and brought to all that hold them. So it is digested when the step is over, outside of its time.

import { setImmediate } from "node:timers/promises";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { awaitGpu } from "../gpu/patience.ts";
import type { ContentSource } from "../program/content_source.ts";
import type { BufferDeclaration, Instruction, RankProgram } from "../program/program.ts";
import { createDigestSums } from "./check/digest_sums.ts";
import type { ResultDigest } from "./check/digests.ts";
import { createFiller, fillBytes } from "./fill.ts";
import type { PreparedProgram } from "./prepare.ts";

/** Larger ones are made anew each time, on the GPU. */
const keptBytes = 2 ** 20;

export interface State {
  /** Nothing where a step leaves all as it was. */
  restore(): Promise<void>;
  /** Adds up, as work for the GPU, what the step that is over left. */
  digest(): void;
  clearDigests(): void;
  /** Summed up over the steps after which `digest` was called. */
  readDigests(): Promise<ResultDigest[]>;
}

const unchanging: State = {
  restore: async () => undefined,
  digest: () => undefined,
  clearDigests: () => undefined,
  readDigests: async () => [],
};

export async function createState(
  gpu: LogicalGpu,
  { rank, buffers, instructions }: RankProgram,
  { region }: Pick<PreparedProgram, "region">,
  source: ContentSource,
  onProgress: () => void,
): Promise<State> {
  const isChanged = buffers.some(({ role }) => role === "optimizer");
  if (!isChanged) return unchanging;
  const moved = movedBy(instructions);
  const all = buffers.filter(({ id, role }) => role === "gradient" || moved.has(id));
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { id, bytes, content, dtype } of all) {
    if (content === undefined || bytes > keptBytes) continue;
    kept.set(id, await fillBytes(content, source, dtype, onProgress));
    await setImmediate();
  }
  const label = `rank ${rank} state`;
  const regions = all.map(({ id }) => region(id));
  const sums = await createDigestSums(gpu, label, regions, onProgress);
  return {
    async restore() {
      const { queue } = gpu.device;
      const filler = createFiller(gpu, `rank ${rank}`, source);
      const encoder = gpu.device.createCommandEncoder({ label });
      const made: BufferDeclaration[] = [];
      for (const declaration of all) {
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
    digest() {
      const encoder = gpu.device.createCommandEncoder({ label });
      for (const kernel of sums.kernels) {
        const pass = encoder.beginComputePass({ label });
        kernel.encode(pass);
        pass.end();
      }
      gpu.device.queue.submit([encoder.finish()]);
    },
    clearDigests: () => sums.clear(),
    async readDigests() {
      const found = await sums.read();
      return all.map(({ id }, place) => ({
        layer: id,
        microBatch: 0,
        observation: { kind: "state", rank, buffer: id },
        sums: found[place] ?? [0, 0],
      }));
    },
  };
}

/** Ids of the buffers that an update writes. */
function movedBy(instructions: readonly Instruction[]): ReadonlySet<string> {
  return new Set(
    instructions.flatMap((each) => {
      if (each.origin.phase !== "update") return [];
      if (each.op === "kernel") return each.buffers;
      // What others have moved of a weight.
      return each.op === "all-gather" ? (each.receive ?? []) : [];
    }),
  );
}
