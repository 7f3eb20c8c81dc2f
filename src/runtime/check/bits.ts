// Bytes that must be equal to the bit, known by a hash of 52 bits: what is moved is not rounded.

import type { ByteRange } from "../../gpu/read_back.ts";
import type { CopyInstruction } from "../../program/program.ts";
import { createDeviation } from "../../reference/deviation.ts";
import type { Coverage } from "./coverage.ts";
import { type CheckView, readAll } from "./view.ts";

/** Depends on every word and its place. */
export function hashOf(bytes: Uint8Array<ArrayBuffer>): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
  let [high, low] = [0x9e37_79b9, 0x85eb_ca6b];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    high = Math.imul(high ^ word, 0x0100_0193) + 0x27d4_eb2f;
    low = Math.imul((low << 5) ^ (low >>> 27) ^ word, 0xc2b2_ae35);
  }
  for (let i = 4 * words.length; i < bytes.length; i++) {
    high = Math.imul(high ^ (bytes[i] ?? 0), 0x0100_0193) + 1;
    low = Math.imul((low << 5) ^ (low >>> 27) ^ (bytes[i] ?? 0), 0xc2b2_ae35);
  }
  return (high >>> 0) * 2 ** 20 + (low >>> 12);
}

/** Bytes of one run that are looked at as a whole; of longer ones as many, in blocks from its first to its last. */
const hashedBytes = 2 ** 24;
const hashedBlock = 2 ** 12;

/** The same on all ranks, for it depends on the length alone. */
export function agreedRanges(offset: number, bytes: number): ByteRange[] {
  if (bytes <= hashedBytes) return [{ offset, bytes }];
  const blocks = Math.floor(bytes / hashedBlock);
  const count = hashedBytes / hashedBlock;
  return Array.from({ length: count }, (_, i) => {
    const block = Math.floor((i * (blocks - 1)) / (count - 1));
    const last = i === count - 1 ? bytes % hashedBlock : 0;
    return { offset: offset + block * hashedBlock, bytes: hashedBlock + last };
  });
}

export async function checkCopy(
  { source, sourceOffset, target, targetOffset, bytes }: CopyInstruction,
  { read }: CheckView,
): Promise<Coverage> {
  const deviation = createDeviation();
  const from = await read(source, agreedRanges(sourceOffset, bytes));
  const to = await read(target, agreedRanges(targetOffset, bytes));
  const [expected, actual] = [new Uint32Array(from.buffer), new Uint32Array(to.buffer)];
  for (let i = 0; i < expected.length; i++) {
    deviation.same(actual[i] ?? Number.NaN, expected[i] ?? Number.NaN, 0, i);
  }
  return { unit: "bytes", checked: from.length, total: bytes, deviation };
}

/** A whole buffer. */
export async function checkBytes(
  view: CheckView,
  buffer: string,
  expected: Uint8Array<ArrayBuffer>,
): Promise<Coverage> {
  const deviation = createDeviation();
  const right = new Uint32Array(expected.buffer);
  const words = new Uint32Array((await readAll(view, buffer)).buffer);
  for (const [i, word] of right.entries()) deviation.same(words[i] ?? Number.NaN, word, 0, i);
  return { unit: "elements", checked: right.length, total: right.length, deviation };
}
