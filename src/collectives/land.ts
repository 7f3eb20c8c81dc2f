// The way into a GPU: bytes that have come are written where they belong.

import { encodeHeader } from "../kernels/reduce_words.ts";
import { bytesPerElement, type StorageType } from "../kernels/storage.ts";
import { isWhole, type Take } from "../program/exchange/chunks.ts";
import { summandPitch } from "../program/exchange/sums.ts";
import type { BufferRegion } from "./buffer_region.ts";
import type { CollectiveKernels } from "./kernels.ts";
import type { Parts } from "./parts.ts";

export interface Landing {
  readonly name: string;
  readonly dtype: StorageType;
  readonly target: BufferRegion;
}

/** A take whose words begin at byte `at` of `view`. */
export function land(
  parts: Parts,
  { target, dtype, name }: Landing,
  take: Take,
  view: Uint8Array<ArrayBuffer>,
  at: number,
): void {
  const offset = view.byteOffset + at;
  parts.during("upload", () => {
    if (isWhole(take)) {
      const to = target.offset + take.targetOffset;
      parts.queue.writeBuffer(target.buffer, to, view.buffer, offset, take.bytes);
      return;
    }
    const { workspace, layout } = kernelsOf(parts, name);
    const to = workspace.offset + layout.landing;
    parts.queue.writeBuffer(workspace.buffer, to, view.buffer, offset, take.words);
  });
  if (!isWhole(take)) place(parts, name, dtype, take, 1, "landing");
}

/** A piece that stays on the rank. */
export function keep(
  parts: Parts,
  { target, dtype, name }: Landing,
  source: BufferRegion,
  take: Take,
) {
  const { sourceOffset, targetOffset, head, words, bytes } = take;
  // WebGPU cannot copy within a buffer; a collective in place leaves its own piece where it is.
  const from = source.offset + sourceOffset;
  if (source.buffer === target.buffer) {
    if (from + head === target.offset + targetOffset) return;
    throw new Error(`${name}: in place, rank ${parts.rank} cannot move the piece that it keeps`);
  }
  if (isWhole(take)) {
    const to = target.offset + targetOffset;
    parts.encoder().copyBufferToBuffer(source.buffer, from, target.buffer, to, bytes);
    return;
  }
  const { workspace, layout } = kernelsOf(parts, name);
  const to = workspace.offset + layout.landing;
  parts.encoder().copyBufferToBuffer(source.buffer, from, workspace.buffer, to, words);
  place(parts, name, dtype, take, 1, "landing");
}

/** Adds what lies in the workspace, into a part of the target that may share words with its neighbours. */
export function place(
  parts: Parts,
  name: string,
  dtype: StorageType,
  { head, words, targetOffset, bytes }: Take,
  pieces: number,
  from: "landing" | "summands",
): void {
  const { workspace, layout, words: kernel } = kernelsOf(parts, name);
  if (kernel === undefined) throw new Error(`${name}: no kernel moves words`);
  const elementBytes = bytesPerElement(dtype);
  const header = encodeHeader({
    pieces,
    elements: bytes / elementBytes,
    begin: layout[from] / 4,
    pitch: summandPitch(words, dtype) / 4,
    skip: head / elementBytes,
    first: targetOffset / elementBytes,
  });
  // What is in the batch may still read the header of another.
  parts.submit();
  parts.during("upload", () => {
    parts.queue.writeBuffer(workspace.buffer, workspace.offset, header);
  });
  parts.reduce(kernel);
  parts.submit();
}

export function kernelsOf({ kernels, rank }: Parts, name: string): CollectiveKernels {
  if (kernels === undefined) throw new Error(`${name}: rank ${rank} has prepared no kernels`);
  return kernels;
}
