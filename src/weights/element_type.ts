// Element types of safetensors files. All are known by their width, so that lengths can be checked; those of weights
// here can be read as numbers.

import { fromHalf } from "../kernels/half.ts";

/** Bits of an element. */
const widths = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
  I64: 64,
  U64: 64,
  I32: 32,
  U32: 32,
  I16: 16,
  U16: 16,
  I8: 8,
  U8: 8,
  BOOL: 8,
} as const;

export type ElementType = keyof typeof widths;

export function isElementType(name: unknown): name is ElementType {
  return typeof name === "string" && Object.hasOwn(widths, name);
}

export function bitsOf(type: ElementType): number {
  return widths[type];
}

/** Those that weights are read from. */
export type ReadableType = "F32" | "F16" | "BF16";

export function isReadable(type: ElementType): type is ReadableType {
  return type === "F32" || type === "F16" || type === "BF16";
}

/** Some of a tensor's elements, as they lie. */
export interface Elements {
  readonly words: Float32Array | Uint16Array;
  /** By word, its value; f32 holds it exactly. Absent: a word is its value. */
  readonly values?: Float32Array;
}

/**
 * @param offset bytes from the memory's begin
 * @param count elements from there on
 */
export function elementsIn(
  memory: ArrayBuffer,
  offset: number,
  count: number,
  type: ReadableType,
): Elements {
  const width = bitsOf(type) / 8;
  // A file whose header is no multiple of the width long has no element where an array can begin.
  const isAligned = offset % width === 0;
  const from = isAligned ? memory : memory.slice(offset, offset + count * width);
  const start = isAligned ? offset : 0;
  if (type === "F32") return { words: new Float32Array(from, start, count) };
  return { words: new Uint16Array(from, start, count), values: valuesOf[type] };
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** A bfloat16 is the upper half of an f32. */
function fromBfloat(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

function tableOf(decode: (bits: number) => number): Float32Array {
  return Float32Array.from({ length: 2 ** 16 }, (_, bits) => decode(bits));
}

const valuesOf = { F16: tableOf(fromHalf), BF16: tableOf(fromBfloat) } as const;
