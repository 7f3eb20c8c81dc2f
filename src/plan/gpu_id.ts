// GPU ids as people write them: 0, "0", "gpu_0", "GPU 0", "cuda:0". A plan keeps the number.

import { z } from "zod";

const largest = 0x7fffffff;

/** Without flags: the pattern stands in the JSON Schema too. */
const written = /^\s*(?:(?:[Gg][Pp][Uu]|[Cc][Uu][Dd][Aa])[\s_:-]?)?\d{1,10}\s*$/;

function numberIn(text: string): number {
  return Number(/\d+/.exec(text)?.[0]);
}

const text = z.string().regex(written).transform(numberIn).pipe(z.int().max(largest));

export const gpuId = z.union(
  [z.int().nonnegative().max(largest), text],
  'must be a GPU id such as 0, "gpu_0" or "cuda:0"',
);
