// New tokens of requests and where all of their tokens lie in a cache, from the tables that kernels read.

import type { PagedShape } from "../../kernels/cache_shape.ts";
import { bytesPerElement, type StorageType } from "../../kernels/storage.ts";
import { runsOf } from "./sample.ts";
import { type CheckView, type Operands, readRows, type PaddedRows } from "./view.ts";

export interface CachedTokens {
  /** Rows with a new token. */
  readonly rows: readonly number[];
  readonly positionOf: (row: number) => number;
  /** Row of the cache, of a token of the request that a row belongs to. */
  readonly placeOf: (row: number, token: number) => number;
}

export async function cachedTokens(
  { batch, queries, pageTokens, pages }: PagedShape,
  operands: Operands,
): Promise<CachedTokens> {
  const spans = await operands.words("spans");
  const table = operands.has("pages") ? await operands.words("pages") : new Uint32Array();
  const requestOf = (row: number): number => Math.floor(row / queries);
  return {
    rows: Array.from({ length: batch * queries }, (_, row) => row).filter(
      (row) => row % queries < (spans[2 * requestOf(row) + 1] ?? 0),
    ),
    positionOf: (row) => (spans[2 * requestOf(row)] ?? 0) + (row % queries),
    placeOf: (row, token) =>
      (table[requestOf(row) * pages + Math.floor(token / pageTokens)] ?? 0) * pageTokens +
      (token % pageTokens),
  };
}

/** Rows of a cache, whose type is not that of other operands. */
export async function cacheRows(
  view: CheckView,
  operands: Operands,
  columns: number,
  dtype: StorageType,
  places: Iterable<number>,
): Promise<PaddedRows> {
  const buffer = operands.bufferOf("cache");
  return readRows(view, buffer, columns, dtype, runsOf(places), operands.pace);
}

const mostPairs = 64;

/** Some rows and heads; the first and the last of each among them. */
export function pairsOf(
  rows: readonly number[],
  heads: number,
  random: () => number,
): { readonly row: number; readonly head: number }[] {
  const count = Math.min(mostPairs, rows.length * heads);
  if (count === rows.length * heads) {
    return rows.flatMap((row) => Array.from({ length: heads }, (_, head) => ({ row, head })));
  }
  const pick = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, i) => ({
    row: [rows[0], rows.at(-1)][i] ?? rows[pick(rows.length)] ?? 0,
    head: [heads - 1, 0][i] ?? pick(heads),
  }));
}

/** Parts of a buffer of f32, whatever is stored elsewhere. */
export function floatsAt({ read }: CheckView, buffer: string) {
  return async (first: number, count: number): Promise<Float32Array> =>
    count === 0
      ? new Float32Array()
      : new Float32Array(
          (
            await read(buffer, [
              { offset: first * bytesPerElement("f32"), bytes: count * bytesPerElement("f32") },
            ])
          ).buffer,
        );
}
