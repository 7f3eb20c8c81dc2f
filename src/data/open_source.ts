// Contents of a program: given by the user, read from its data set, or hashes of its seed.

import type { ContentSource } from "../program/content_source.ts";
import type { TokenSource } from "../program/token_source.ts";
import { type GivenContents, openGiven } from "../weights/given_source.ts";
import type { Batches } from "./batches.ts";

export interface ProgramSource extends ContentSource {
  /** Of the data set. Absent: every step has the same ids. */
  readonly batches?: Batches;
}

/**
 * Ids of a data set are those of its first batch. Tokens that are given come before any data set.
 *
 * @throws EnvironmentError `data-refused` where the data set cannot be read
 */
export async function openSource(
  { seed, data }: { readonly seed: number; readonly data?: TokenSource },
  given: GivenContents = {},
): Promise<ProgramSource> {
  const source = openGiven(seed, given);
  if (data === undefined || given.tokens !== undefined) return source;
  const { openBatches } = await import("./open_batches.ts");
  const batches = await openBatches(data);
  return {
    seedOf: (content) => (content.kind === "ids" ? undefined : source.seedOf(content)),
    values: (content, first, rows) =>
      content.kind === "ids"
        ? Float64Array.from(batches.ids(content, 0))
        : source.values(content, first, rows),
    batches,
  };
}
