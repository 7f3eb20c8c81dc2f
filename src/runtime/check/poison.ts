// Memory that an instruction is about to write is filled with what no right result holds, so that whatever it leaves
// unwritten, or a whole instruction that does not run, cannot pass for right by what an earlier step left there.

import { type BufferRegion, piecesOf } from "../../collectives/buffer_region.ts";
import type { LogicalGpu } from "../../gpu/logical_gpu.ts";
import { kernelOf } from "../../kernels/catalog.ts";
import { bindingsOf } from "../../kernels/kernel.ts";
import type { DType } from "../../kernels/storage.ts";
import { collectiveOf, type Instruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import type { CheckView } from "./view.ts";

export interface Poison {
  fill(regions: readonly BufferRegion[]): void;
  destroy(): void;
}

/** A NaN in f32, two in f16, and no index in u32. */
const poisonWord = 0xffff_ffff;
const blockBytes = 2 ** 20;

export async function createPoison(gpu: LogicalGpu, label: string): Promise<Poison> {
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const block = await gpu.createBuffer(`${label} poison`, blockBytes, usage);
  gpu.device.queue.writeBuffer(block, 0, new Uint32Array(blockBytes / 4).fill(poisonWord));
  return {
    fill(regions) {
      const encoder = gpu.device.createCommandEncoder({ label: block.label });
      for (const { buffer, offset, size } of regions) {
        for (let done = 0; done < size; done += blockBytes) {
          const bytes = Math.min(blockBytes, size - done);
          encoder.copyBufferToBuffer(block, 0, buffer, offset + done, bytes);
        }
      }
      gpu.device.queue.submit([encoder.finish()]);
    },
    destroy: () => gpu.destroyBuffer(block),
  };
}

/** Buffers that it writes, each where the instruction's whole result lies in it. */
export function writtenRegions(
  instruction: Instruction,
  region: (id: string) => BufferRegion,
): BufferRegion[] {
  if (instruction.op === "copy") {
    const { buffer, offset } = region(instruction.target);
    return [{ buffer, offset: offset + instruction.targetOffset, size: instruction.bytes }];
  }
  return writtenBuffers(instruction).flatMap((id) => piecesOf(region(id)));
}

/** Their ids; not of those of which a kernel updates a part. */
export function writtenBuffers(instruction: Instruction): string[] {
  if (instruction.op === "kernel") {
    return bindingsOf(kernelOf(instruction), instruction.shape).flatMap(
      ({ access, isUpdated }, index) =>
        access === "read" || isUpdated === true ? [] : [instruction.buffers[index] ?? ""],
    );
  }
  if (instruction.op === "copy") return [instruction.target];
  if (instruction.op === "input") return [instruction.buffer];
  const transfer = collectiveOf(instruction);
  if (transfer === undefined) return [];
  const ids = [transfer.receive === transfer.send ? undefined : transfer.receive];
  if (transfer.op === "expert-dispatch") ids.push(transfer.kept, transfer.offsets);
  return ids.flatMap((id) => id ?? []);
}

/** Their ids, of those that it reads, adds to or updates a part of. */
function readBuffers(instruction: Instruction): string[] {
  if (instruction.op === "kernel") {
    return bindingsOf(kernelOf(instruction), instruction.shape).flatMap(
      ({ access, isUpdated }, index) =>
        access === "read" || isUpdated === true ? [instruction.buffers[index] ?? ""] : [],
    );
  }
  if (instruction.op === "copy") return [instruction.source];
  const sent = collectiveOf(instruction)?.send;
  return sent === undefined ? [] : [sent];
}

/** Ids of what a step reads before it writes it: what one step leaves there is for the next. */
export function carriedBuffers(instructions: readonly Instruction[]): ReadonlySet<string> {
  const written = new Set<string>();
  const carried = new Set<string>();
  for (const instruction of instructions) {
    for (const id of readBuffers(instruction)) if (!written.has(id)) carried.add(id);
    for (const id of writtenBuffers(instruction)) written.add(id);
  }
  return carried;
}

/** Ids of the buffers that it adds to. */
export function accumulatedBuffers(instruction: Instruction): string[] {
  if (instruction.op !== "kernel") return [];
  return bindingsOf(kernelOf(instruction), instruction.shape).flatMap(({ isAccumulated }, index) =>
    isAccumulated === true ? [instruction.buffers[index] ?? ""] : [],
  );
}

/** Whether the first `used` bytes of a kernel's result were written, as far as a fixed number of words goes. */
export async function checkWritten(
  { read, bytesOf, effort }: CheckView,
  buffer: string,
  dtype: DType,
  used = Infinity,
): Promise<Deviation> {
  const deviation = createDeviation();
  const bytes = Math.min(bytesOf(buffer), 4 * effort.scannedWords, used);
  const words = new Uint32Array((await read(buffer, [{ offset: 0, bytes }])).buffer);
  const perWord = dtype === "f16" ? 2 : 1;
  for (const [at, word] of words.entries()) {
    if (isPoison(word, dtype)) deviation.same(Number.NaN, 0, 0, at * perWord);
  }
  return deviation;
}

function isPoison(word: number, dtype: DType): boolean {
  return dtype === "f16"
    ? (word & 0xffff) === 0xffff || word >>> 16 === 0xffff
    : word === poisonWord;
}
