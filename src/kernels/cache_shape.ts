// What the kernels over caches of keys and values share.

import type { StorageType } from "./storage.ts";

export interface CacheShape {
  /** Requests; each has rows of its own and a row of the page table. */
  readonly batch: number;
  /** Rows of each request: as many new tokens at most. */
  readonly queries: number;
  readonly pageTokens: number;
  /** Of a request at most. */
  readonly pages: number;
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** A multiple of 4, at most 256. */
  readonly headDim: number;
  /** Of what is cached. */
  readonly cacheDtype: StorageType;
}

/** Element type of a cache. */
export function cachePrelude({ cacheDtype }: CacheShape): readonly string[] {
  return [`cache/${cacheDtype}`];
}

/** Words of `spans` and of `pages`. */
export function tableWords({ batch, pages }: CacheShape): number {
  return batch * (2 + pages);
}
