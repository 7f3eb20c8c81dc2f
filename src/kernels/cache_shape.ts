// What the kernels over caches share. A row of a cache is what is kept of a token: keys of all heads, then their values;
// of latent attention one key, whose first columns are the value.

import type { StorageType } from "./storage.ts";

/** Requests, their new tokens, and the pages where all of their tokens lie. */
export interface PagedShape {
  /** Requests; each has rows of its own and a row of the page table. */
  readonly batch: number;
  /** Rows of each request: as many new tokens at most. */
  readonly queries: number;
  readonly pageTokens: number;
  /** Of a request at most. */
  readonly pages: number;
  /** Of what is cached. */
  readonly cacheDtype: StorageType;
}

/** Element type of a cache. */
export function cachePrelude({ cacheDtype }: PagedShape): string {
  return `cache/${cacheDtype}`;
}

/** Words of `spans` and of `pages`. */
export function tableWords({ batch, pages }: PagedShape): number {
  return batch * (2 + pages);
}
