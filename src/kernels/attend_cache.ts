// Attention of few new tokens against a cache of keys and values, as when decoding. The cache is cut into
// pieces that are attended each by itself, so that one query keeps a whole GPU busy; `combine_attention`
// joins what they found.

import { keysSeenConstants, type ScoreRules, scoreConstants } from "./attention_shape.ts";
import { cachePrelude, type PagedShape, tableWords } from "./cache_shape.ts";
import {
  type AlternativeShader,
  type Grid,
  type Kernel,
  read,
  readUniform,
  update,
  write,
} from "./kernel.ts";
import { bytesPerElement, ceilDiv } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

/** A new token sees itself and earlier ones. */
export interface CachedAttentionShape extends PagedShape, Omit<ScoreRules, "causal"> {
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** Of a query and a key. A multiple of 4. */
  readonly headDim: number;
  /** A multiple of 4. */
  readonly valueDim: number;
  /** Values are the first columns of keys, and not cached besides. */
  readonly isLatent?: true;
  /**
   * Where keys and values lie in `count` caches, an equal share of the key heads in each: the one that is read, for whose
   * heads alone pieces are written.
   */
  readonly tile?: { readonly index: number; readonly count: number };
  /** Binding `sinks` of `combine_attention`, as of `attention`. */
  readonly sinks?: true;
  /** Of the tensor in which a row's queries come first. */
  readonly queryColumns: number;
  /** Tokens that a new one sees as a rule, the new ones included: FLOPs and bytes count them. */
  readonly expectedKeys: number;
}

/** Keys of a piece, and invocations of a workgroup. */
const pieceKeys = 64;

/** Key heads in the cache. */
export function cachedHeads({ kvHeads, tile }: CachedAttentionShape): number {
  return kvHeads / (tile?.count ?? 1);
}

/** Columns of a row of the cache. */
export function cacheColumns(shape: CachedAttentionShape): number {
  const { headDim, valueDim, isLatent } = shape;
  return cachedHeads(shape) * (headDim + (isLatent === true ? 0 : valueDim));
}

export function cachePieces({
  pageTokens,
  pages,
}: Pick<PagedShape, "pageTokens" | "pages">): number {
  return ceilDiv(pageTokens * pages, pieceKeys);
}

/** Of them, those that hold the expected keys. */
export function usedPieces({ expectedKeys }: CachedAttentionShape): number {
  return ceilDiv(expectedKeys, pieceKeys);
}

/** Query heads with the same key head, for every new token: they share what is loaded. */
function sharingRows({ queries, heads, kvHeads }: CachedAttentionShape): number {
  return (queries * heads) / kvHeads;
}

/** Of those, how many one workgroup takes: as many sums does a lane hold. */
function groupRows(shape: CachedAttentionShape): 1 | 4 | 8 {
  const rows = sharingRows(shape);
  if (rows === 1) return 1;
  return rows <= 4 ? 4 : 8;
}

/** Lanes that share a key's value: a power of two. */
function shareLanes({ valueDim }: CachedAttentionShape): number {
  return Math.min(pieceKeys, 2 ** Math.ceil(Math.log2(valueDim / 4)));
}

/** f32 elements that one piece leaves for `combine_attention`. */
export function pieceElements({ batch, queries, heads, valueDim }: CachedAttentionShape): number {
  return batch * queries * heads * (valueDim + 4);
}

/** As the shaders need them. */
export function cachedKeysSeen({ window, chunk, pages, pageTokens }: CachedAttentionShape) {
  return keysSeenConstants({
    sequence: pages * pageTokens,
    causal: true,
    ...(window === undefined ? {} : { window }),
    ...(chunk === undefined ? {} : { chunk }),
  });
}

function commonConstants(shape: CachedAttentionShape): Record<string, number> {
  return {
    ...cachedKeysSeen(shape),
    ...scoreConstants(shape, shape.valueDim),
    QUERIES: shape.queries,
    PAGE_TOKENS: shape.pageTokens,
    PAGES: shape.pages,
    Q_QUADS: shape.queryColumns / 4,
    ...(shape.tile === undefined ? {} : { FIRST_KEY_HEAD: shape.tile.index * cachedHeads(shape) }),
  };
}

function firstValue(shape: CachedAttentionShape): number {
  return shape.isLatent === true ? 0 : cachedHeads(shape) * shape.headDim;
}

/** `attend_cache` by subgroups of 4 or 8 whose lanes lie along the head. */
const attendCacheSubgroup: AlternativeShader<CachedAttentionShape> = {
  name: "attend_cache_subgroup",
  runsOn: (adapter) => [4, 8].includes(subgroupSizeOf(adapter)),
  isPreferred: () => true,
  tilings: (shape, adapter) => {
    const rows = sharingRows(shape) === 1 ? 1 : 4;
    return [
      {
        constants: {
          ...commonConstants(shape),
          CACHE_COLUMNS: cacheColumns(shape),
          FIRST_VALUE: firstValue(shape),
          ROWS: rows,
          LANES: subgroupSizeOf(adapter),
        },
        grid: gridOf(shape, rows),
        prelude: "attention/lanes",
      },
    ];
  },
};

/** @param rows of a workgroup */
function gridOf(shape: CachedAttentionShape, rows: number): Grid {
  return [cachePieces(shape), cachedHeads(shape) * ceilDiv(sharingRows(shape), rows), shape.batch];
}

/**
 * Per query, head and piece of the cache: exp(score - largest) · v, the largest score and the sum of
 * exponentials. Pieces in which a query sees no key are left as they were.
 */
export const attendCache: Kernel<CachedAttentionShape> = {
  name: "attend_cache",
  bindings: ({ cacheDtype, tile }) => [
    read("q"),
    readUniform("spans", "u32"),
    read("pages", "u32"),
    read("cache", cacheDtype),
    tile === undefined || tile.index === 0 ? write("partials", "f32") : update("partials", "f32"),
  ],
  preludes: (shape) => [
    cachePrelude(shape),
    `cache/units_${shape.cacheDtype}`,
    "attention/keys_seen",
    "attention/scores",
  ],
  constants: (shape) => ({
    ...commonConstants(shape),
    CACHE_QUADS: cacheColumns(shape) / 4,
    FIRST_VALUE: firstValue(shape) / 4,
    ROWS: groupRows(shape),
    SHARE_LANES: shareLanes(shape),
  }),
  grid: (shape) => gridOf(shape, groupRows(shape)),
  // Of several new tokens the first sees fewer.
  flops: ({ batch, queries, expectedKeys, heads, headDim, valueDim, tile }) =>
    (2 * batch * queries * (expectedKeys - (queries - 1) / 2) * heads * (headDim + valueDim)) /
    (tile?.count ?? 1),
  // Of several caches each is read for its share of the heads, and the tables once for all.
  bytes: (shape, dtype) => {
    const { batch, queries, expectedKeys, heads, headDim, cacheDtype, tile } = shape;
    return (
      (batch * queries * heads * headDim * bytesPerElement(dtype) +
        4 * tableWords(shape) +
        4 * usedPieces(shape) * pieceElements(shape)) /
        (tile?.count ?? 1) +
      batch * expectedKeys * cacheColumns(shape) * bytesPerElement(cacheDtype)
    );
  },
  alternatives: [attendCacheSubgroup],
};
