// A number of a buffer's words for checks: no kernel of any program.

import { workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { ceilDiv } from "./storage.ts";

export interface DigestShape {
  readonly words: number;
}

/** Words of one invocation, as far as workgroups go. */
const run = 16;

/** sums += what `digestOf` makes of the words. */
export const digest: Kernel<DigestShape> = {
  name: "digest",
  shader: "checks/digest",
  bindings: [read("words", "u32"), write("sums", "u32")],
  constants: ({ words }) => ({ WORDS: words, WORKGROUP: workgroupSize }),
  grid: ({ words }) => [Math.min(65_535, Math.max(1, ceilDiv(words, run * workgroupSize))), 1, 1],
  flops: () => 0,
  bytes: ({ words }) => 4 * words,
};

/** Two sums modulo 2³². */
export type Digest = readonly [first: number, second: number];

export function digestOf(words: Uint32Array): Digest {
  let [first, second] = [0, 0];
  for (let i = 0; i < words.length; i++) {
    const hash = mix((words[i] ?? 0) ^ Math.imul(i, 0x9e37_79b1));
    first = (first + hash) | 0;
    second = (second + mix(hash + i)) | 0;
  }
  return [first >>> 0, second >>> 0];
}

/** The sums after so many equal buffers. */
export function digestTimes([first, second]: Digest, times: number): Digest {
  return [Math.imul(first, times) >>> 0, Math.imul(second, times) >>> 0];
}

function mix(x: number): number {
  const a = Math.imul(x ^ (x >>> 16), 0x7feb_352d);
  const b = Math.imul(a ^ (a >>> 15), 0x846c_a68b);
  return b ^ (b >>> 16);
}
