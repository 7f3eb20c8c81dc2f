// Writes GGUF (version 3), the file format of llama.cpp: metadata, then tensors in f32, each on a multiple of 32 bytes.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

import { writeFileSync } from "node:fs";

export type GgufValue =
  | { readonly type: "u32" | "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string };

/** Row-major; the format lists extents from the innermost outward. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const alignment = 32;

const typeIds = { u32: 4, f32: 6, bool: 7, string: 8 } as const;

const f32Tensor = 0;

export function writeGguf(
  file: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): void {
  const offsets: number[] = [];
  let end = 0;
  for (const { values } of tensors) {
    offsets.push(end);
    end = aligned(end + values.byteLength);
  }
  const header = Buffer.concat([
    Buffer.from("GGUF"),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(metadata).length),
    ...Object.entries(metadata).flatMap(([key, value]) => [text(key), ...entry(value)]),
    ...tensors.flatMap(({ name, shape }, i) => [
      text(name),
      u32(shape.length),
      ...shape.toReversed().map(u64),
      u32(f32Tensor),
      u64(offsets[i] ?? 0),
    ]),
  ]);
  const begin = aligned(header.length);
  const bytes = Buffer.alloc(begin + end);
  header.copy(bytes);
  for (const [i, { values }] of tensors.entries()) {
    bytes.set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      begin + (offsets[i] ?? 0),
    );
  }
  writeFileSync(file, bytes);
}

function entry(value: GgufValue): Buffer[] {
  switch (value.type) {
    case "u32":
      return [u32(typeIds.u32), u32(value.value)];
    case "f32":
      return [u32(typeIds.f32), f32(value.value)];
    case "bool":
      return [u32(typeIds.bool), Buffer.of(value.value ? 1 : 0)];
    case "string":
      return [u32(typeIds.string), text(value.value)];
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}
