// Writes tensors as a safetensors file, in the order given.

import { open } from "node:fs/promises";
import { halvesOfFloats } from "../kernels/half.ts";
import type { ReadableType } from "./element_type.ts";
import { lengthBytes } from "./safetensors_header.ts";

export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, as many as the shape says. */
  readonly values: Float32Array;
  /** Default: F32. F16 rounds to the nearest, BF16 too. */
  readonly type?: ReadableType;
}

/** @throws Error where a file cannot be written, or a tensor has other values than its shape says */
export async function writeSafetensors(
  file: string,
  tensors: readonly TensorToWrite[],
): Promise<void> {
  const data = tensors.map(encode);
  let end = 0;
  const entries = tensors.map(({ name, shape, type = "F32" }, i) => {
    const begin = end;
    end += data[i]?.length ?? 0;
    return [name, { dtype: type, shape, data_offsets: [begin, end] }] as const;
  });
  const header = headerBytes(JSON.stringify(Object.fromEntries(entries)));
  const handle = await open(file, "w");
  try {
    for (const bytes of [header, ...data]) await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

/** Length and text, with spaces behind it so that tensors begin on a multiple of 8. */
function headerBytes(text: string): Uint8Array {
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, lengthBytes);
  return bytes;
}

function encode({ name, shape, values, type = "F32" }: TensorToWrite): Uint8Array {
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (values.length !== count) {
    throw new RangeError(
      `${name}: ${values.length} values, and [${shape.join(", ")}] are ${count}`,
    );
  }
  if (type === "F16") return new Uint8Array(halvesOfFloats(values).buffer);
  if (type === "BF16") return new Uint8Array(bfloatsOf(values).buffer);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The upper halves of the f32 words, rounded to nearest, ties to even. */
function bfloatsOf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.slice().buffer);
  return Uint16Array.from(words, (word) => {
    if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
