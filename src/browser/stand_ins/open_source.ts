// What a page has instead of `data/open_source.ts`: hashes of the seed. It has no files to read a data set from.

import type { ContentSource } from "../../program/content_source.ts";
import { hashSource } from "../../program/hash_source.ts";

export async function openSource({ seed }: { readonly seed: number }): Promise<ContentSource> {
  return hashSource(seed);
}
