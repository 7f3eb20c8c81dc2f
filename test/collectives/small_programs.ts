// Programs of collectives alone, whose right answers are plain sums and concatenations.

import { fromHalf } from "../../src/kernels/half.ts";
import {
  bytesPerElement,
  rowPitch,
  type DType,
  type StorageType,
} from "../../src/kernels/storage.ts";
import type { Content, RegionContent } from "../../src/program/content.ts";
import { fillContent } from "../../src/program/content_values.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import type {
  BufferDeclaration,
  BufferRole,
  Instruction,
  Origin,
  Program,
} from "../../src/program/program.ts";
import type { RankObservation } from "../../src/runtime/observation.ts";

export const seed = 7;

export function originOf(layer: string, microBatch = 0): Origin {
  return {
    stage: "test",
    layer,
    microBatch,
    phase: "forward",
  };
}

/** Buffers and instructions of one rank while a program is put together. */
export interface Draft {
  readonly rank: number;
  readonly buffers: BufferDeclaration[];
  readonly instructions: Instruction[];
}

export function drafts(ranks: number): Draft[] {
  return Array.from({ length: ranks }, (_, rank) => ({ rank, buffers: [], instructions: [] }));
}

export function programOf(ranks: readonly Draft[], dtype: StorageType): Program {
  return {
    name: "test",
    dtype,
    seed,
    ranks,
    batch: 1,
    tokens: 1,
    microBatches: 1,
    layers: [],
    output: { rows: 1, columns: 4 },
  };
}

/** A buffer of that many elements in one row, in whole quads; at least one, for none may be bound empty. */
export function declare(
  draft: Draft,
  id: string,
  role: BufferRole,
  dtype: DType,
  elements: number,
  content?: Content,
): string {
  const columns = Math.max(4, elements);
  const pitch = dtype === "u32" ? columns : rowPitch(columns);
  const bytes = pitch * bytesPerElement(dtype);
  const declared = { id, role, dtype, shape: [1, columns], bytes };
  draft.buffers.push(content === undefined ? declared : { ...declared, content });
  return id;
}

/** What member i of a collective sends: different on every rank. */
export function uniform(tensor: string, elements: number): RegionContent {
  return {
    kind: "uniform",
    tensor,
    shape: [1, elements],
    offset: [0, 0],
    size: [1, elements],
    center: 0,
    scale: 1,
  };
}

export function observe(draft: Draft, layer: string, buffer: string): void {
  draft.instructions.push({
    op: "observe",
    origin: originOf(layer),
    buffer,
    observation: { kind: "output", copy: 0, rowOffset: 0, rows: 1, columnOffset: 0, columns: 4 },
  });
}

export function contentValues(content: Content, dtype: DType): number[] {
  return valuesOf(fillContent(content, hashSource(seed), dtype), dtype);
}

export function valuesOf(bytes: Uint8Array, dtype: DType): number[] {
  const own = bytes.slice().buffer;
  if (dtype === "f16") return Array.from(new Uint16Array(own), fromHalf);
  return [...(dtype === "u32" ? new Uint32Array(own) : new Float32Array(own))];
}

/** What a rank showed of a layer. */
export function shown(
  observations: readonly RankObservation[],
  rank: number,
  layer: string,
  dtype: DType,
): number[] {
  const found = observations[rank]?.observed.find((buffer) => buffer.layer === layer);
  if (found === undefined) throw new Error(`rank ${rank} shows nothing of ${layer}`);
  return valuesOf(found.bytes, dtype);
}
