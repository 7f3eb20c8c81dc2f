// Where the token ids of a plan's steps come from. Absent, they are hashes of the seed.

import { z } from "zod";
import { count } from "./schema_numbers.ts";

export const tokenTypes = ["uint16", "uint32"] as const;

export type TokenType = (typeof tokenTypes)[number];

export interface DataSet {
  /** Token ids one after the other, little-endian, without a header. Absent: a file that is made, see `tokens`. */
  readonly path?: string;
  readonly dtype: TokenType;
  /** How many tokens the file that is made has. Absent: `usualTokens`. */
  readonly tokens?: number;
  /** Whether a thread of each rank reads the next step's batch while a step runs. */
  readonly isPrefetched: boolean;
}

export const dataSetSchema = z.strictObject({
  path: z.string().min(1).exactOptional(),
  dtype: z.enum(tokenTypes).exactOptional(),
  tokens: count.exactOptional(),
});

/** The technique whose name says that batches are read ahead. */
export const readsAhead = "async-data-pipeline";

export const usualTokens = 2 ** 20;

export function dataSetOf(
  file: z.infer<typeof dataSetSchema>,
  optimizations: readonly string[],
): DataSet {
  return {
    ...(file.path === undefined ? {} : { path: file.path }),
    dtype: file.dtype ?? "uint16",
    ...(file.tokens === undefined ? {} : { tokens: file.tokens }),
    isPrefetched: optimizations.includes(readsAhead),
  };
}
