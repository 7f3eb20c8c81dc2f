// The way into a GPU: received bytes are written where they belong.

import { encodeHeader } from "../kernels/reduce_words.ts";
import { bytesPerElement, type StorageType } from "../kernels/storage.ts";
import { isWordAligned, type ChunkSegment } from "../program/exchange/chunks.ts";
import { summandPitch } from "../program/exchange/sums.ts";
import type { BufferRegion } from "./buffer_region.ts";
import { copyBytes } from "./copy_bytes.ts";
import type { CollectiveKernels } from "./kernels.ts";
import type { Parts } from "./parts.ts";

export interface Destination {
  readonly name: string;
  readonly dtype: StorageType;
  readonly target: BufferRegion;
}

/** @param message the chunk that the segment is part of */
export function writeReceived(
  parts: Parts,
  { target, dtype, name }: Destination,
  segment: ChunkSegment,
  message: Uint8Array<ArrayBuffer>,
): void {
  const offset = message.byteOffset + segment.chunkOffset;
  parts.during("upload", () => {
    if (isWordAligned(segment)) {
      const to = target.offset + segment.targetOffset;
      parts.queue.writeBuffer(target.buffer, to, message.buffer, offset, segment.bytes);
      return;
    }
    const { workspace, layout } = kernelsOf(parts, name);
    const to = workspace.offset + layout.received;
    parts.queue.writeBuffer(workspace.buffer, to, message.buffer, offset, segment.words);
  });
  if (!isWordAligned(segment)) placeWords(parts, name, dtype, segment, 1, "received");
}

/** A piece that stays on the rank. */
export function copyLocally(
  parts: Parts,
  { target, dtype, name }: Destination,
  source: BufferRegion,
  segment: ChunkSegment,
  through: BufferRegion | undefined,
): void {
  const { sourceOffset, targetOffset, head, words, bytes } = segment;
  const from = source.offset + sourceOffset;
  const isWithin = source.buffer === target.buffer;
  // A collective in place leaves its own piece where it is.
  if (isWithin && from + head === target.offset + targetOffset) return;
  if (isWordAligned(segment)) {
    const to = { buffer: target.buffer, offset: target.offset + targetOffset };
    copyBytes(parts.encoder(), { buffer: source.buffer, offset: from }, to, bytes, through);
    return;
  }
  const { workspace, layout } = kernelsOf(parts, name);
  const to = workspace.offset + layout.received;
  parts.encoder().copyBufferToBuffer(source.buffer, from, workspace.buffer, to, words);
  placeWords(parts, name, dtype, segment, 1, "received");
}

/** Adds what lies in the workspace, into a part of the target that may share words with its neighbours. */
export function placeWords(
  parts: Parts,
  name: string,
  dtype: StorageType,
  { head, words, targetOffset, bytes }: ChunkSegment,
  pieces: number,
  from: "received" | "summands",
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
