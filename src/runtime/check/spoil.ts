// Between steps, timed or not, one element of each buffer that the program writes is set to what it cannot hold. A step
// writes it again; one that leaves out an instruction, whose right result of the step before would still be
// there, does not, and its digest differs.

import type { BufferRegion } from "../../collectives/buffer_region.ts";
import type { LogicalGpu } from "../../gpu/logical_gpu.ts";
import type { DType } from "../../kernels/storage.ts";
import type { BufferRole, RankProgram } from "../../program/program.ts";
import type { PreparedProgram } from "../prepare.ts";
import { carriedBuffers, writtenBuffers } from "./poison.ts";

/**
 * Large, positive and finite, so that no activation and no norm swallows it; two in a word of halves. Indices and
 * counts become 0: whatever reads them stays within its memory.
 */
const spoilt: Readonly<Record<DType, Uint32Array<ArrayBuffer>>> = {
  f32: new Uint32Array(Float32Array.of(30_000).buffer),
  f16: Uint32Array.of(0x7753_7753),
  u32: Uint32Array.of(0),
};

/**
 * Moved weights and cleared gradients are for the next step. Whatever else a step reads before it writes it is to be found.
 */
const lasting: ReadonlySet<BufferRole> = new Set(["weight", "gradient"]);

/** Each call puts writes into the GPU's queue, to be done before what is submitted later. */
export function createSpoiler(
  gpu: LogicalGpu,
  program: RankProgram,
  { region, declaration }: Pick<PreparedProgram, "region" | "declaration">,
): () => void {
  const ids = new Set(program.instructions.flatMap(writtenBuffers).toReversed());
  const carried = carriedBuffers(program.instructions);
  const isCarried = (id: string): boolean => lasting.has(declaration(id).role) && carried.has(id);
  const targets = leftBehind([...ids], region, (id) => declaration(id).columnsOf?.id)
    .filter((id) => !isCarried(id))
    .map((id) => ({
      ...region(id),
      word: spoilt[declaration(id).dtype],
    }));
  const { queue } = gpu.device;
  return () => {
    for (const { word, ...target } of targets) {
      queue.writeBuffer(target.buffer, anyWord(target), word);
    }
  };
}

/** Where one of its own begins, drawn anew each time. */
function anyWord({ offset, size, rows = { bytes: size, pitch: size } }: BufferRegion): number {
  const start = offset + rows.pitch * Math.floor(Math.random() * Math.ceil(size / rows.pitch));
  return start + 4 * Math.floor((Math.random() * rows.bytes) / 4);
}

/**
 * What a step leaves: of the buffers that take turns in the same memory those that no later one overlaps.
 *
 * @param ids the last written first
 * @param columnsOf of columns, the tensor whose other columns lie between them: what holds of some holds of all
 */
function leftBehind(
  ids: readonly string[],
  region: PreparedProgram["region"],
  columnsOf: (id: string) => string | undefined,
): string[] {
  /** Of each memory, what has been written, as ranges that do not touch. */
  const written = new Map<GPUBuffer, Range[]>();
  const ofColumns = new Map<string, boolean>();
  const isLeft = (id: string): boolean => {
    const { buffer, offset, size } = region(id);
    const own = { begin: offset, end: offset + size };
    const before = written.get(buffer) ?? [];
    const overlapped = before.filter(({ begin, end }) => begin <= own.end && own.begin <= end);
    written.set(buffer, [
      ...before.filter((range) => !overlapped.includes(range)),
      {
        begin: Math.min(own.begin, ...overlapped.map(({ begin }) => begin)),
        end: Math.max(own.end, ...overlapped.map(({ end }) => end)),
      },
    ]);
    return overlapped.every(({ begin, end }) => begin === own.end || end === own.begin);
  };
  return ids.filter((id) => {
    const tensor = columnsOf(id);
    if (tensor === undefined) return isLeft(id);
    const known = ofColumns.get(tensor) ?? isLeft(id);
    ofColumns.set(tensor, known);
    return known;
  });
}

interface Range {
  readonly begin: number;
  readonly end: number;
}
