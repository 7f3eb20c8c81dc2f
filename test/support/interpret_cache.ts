// The kernels over caches of keys and values in f64; buffers in the order of their bindings.

import type { AppendCacheShape } from "../../src/kernels/append_cache.ts";
import { appendedColumns } from "../../src/kernels/append_cache.ts";
import {
  cacheColumns,
  type CachedAttentionShape,
  cachePieces,
} from "../../src/kernels/attend_cache.ts";
import type { PagedShape } from "../../src/kernels/cache_shape.ts";
import type { KernelCall } from "../../src/kernels/catalog.ts";
import { scoreOf, visibleRange } from "../../src/reference/scores.ts";

type CacheCall = Extract<
  KernelCall,
  { readonly kernel: "append_cache" | "attend_cache" | "combine_attention" }
>;

const keysOfPiece = 64;

export function runCacheKernel(call: CacheCall, buffers: readonly Float64Array[]): void {
  switch (call.kernel) {
    case "append_cache":
      append(call.shape, buffers);
      return;
    case "attend_cache":
      attend(call.shape, buffers);
      return;
    case "combine_attention":
      combine(call.shape, buffers);
  }
}

function at(buffer: Float64Array | undefined, index: number): number {
  return buffer?.[index] ?? Number.NaN;
}

/** Of a request: tokens cached before, new ones, and where a token lies. */
function requestOf(
  { pageTokens, pages }: PagedShape,
  request: number,
  spans: Float64Array | undefined,
  table: Float64Array | undefined,
) {
  return {
    first: at(spans, 2 * request),
    tokens: at(spans, 2 * request + 1),
    placeOf: (token: number): number =>
      at(table, request * pages + Math.floor(token / pageTokens)) * pageTokens +
      (token % pageTokens),
  };
}

function append(
  shape: AppendCacheShape,
  [x, y, spans, table, cache]: readonly Float64Array[],
): void {
  const { batch, queries, left, right } = shape;
  const columns = appendedColumns(shape);
  for (let request = 0; request < batch; request++) {
    const { first, tokens, placeOf } = requestOf(shape, request, spans, table);
    for (let j = 0; j < tokens; j++) {
      const row = request * queries + j;
      const to = placeOf(first + j) * columns;
      for (let c = 0; c < left.size; c++) {
        cache?.set([at(x, row * left.columns + left.first + c)], to + c);
      }
      for (let c = 0; c < right.heads * right.dim; c++) {
        const from = right.first + Math.floor(c / right.dim) * right.step + (c % right.dim);
        cache?.set([at(y, row * right.columns + from)], to + left.size + c);
      }
    }
  }
}

/** Rows with a new token, their positions, and the keys that each sees. */
function newTokens(shape: CachedAttentionShape, spans: Float64Array | undefined) {
  const { batch, queries } = shape;
  return Array.from({ length: batch * queries }, (_, row) => row).flatMap((row) => {
    const request = Math.floor(row / queries);
    if (row % queries >= at(spans, 2 * request + 1)) return [];
    const position = at(spans, 2 * request) + (row % queries);
    const [from, end] = visibleRange({ ...shape, causal: true }, position + 1, position);
    return [{ row, request, position, from, end }];
  });
}

/** Of each row, head and piece: Σ exp2(score - largest) · v, the largest score in units of log 2, Σ exp2(…), 0, 0. */
function attend(
  shape: CachedAttentionShape,
  [q, spans, table, cache, partials]: readonly Float64Array[],
): void {
  const { heads, kvHeads, headDim, valueDim, queryColumns, isLatent } = shape;
  const { tile = { index: 0, count: 1 } } = shape;
  const held = kvHeads / tile.count;
  const columns = cacheColumns(shape);
  const pieces = cachePieces(shape);
  for (const { row, request, position, from, end } of newTokens(shape, spans)) {
    const { placeOf } = requestOf(shape, request, spans, table);
    for (let own = 0; own < heads / tile.count; own++) {
      const head = (tile.index * heads) / tile.count + own;
      const kvHead = Math.floor((own * kvHeads) / heads);
      const keyAt = (token: number): number => placeOf(token) * columns + kvHead * headDim;
      const valueAt = (token: number): number =>
        isLatent === true
          ? keyAt(token)
          : placeOf(token) * columns + held * headDim + kvHead * valueDim;
      for (let piece = Math.floor(from / keysOfPiece); piece * keysOfPiece < end; piece++) {
        const keys = Array.from({ length: keysOfPiece }, (_, i) => piece * keysOfPiece + i);
        const seen = keys.filter((token) => token >= from && token < end);
        const scores = seen.map((token) => {
          let sum = 0;
          for (let d = 0; d < headDim; d++) {
            sum += at(q, row * queryColumns + head * headDim + d) * at(cache, keyAt(token) + d);
          }
          return Math.LOG2E * scoreOf({ ...shape, causal: true }, head, position, token, sum);
        });
        const largest = Math.max(...scores);
        const weights = scores.map((score) => 2 ** (score - largest));
        const out = ((row * heads + head) * pieces + piece) * (valueDim + 4);
        for (let d = 0; d < valueDim; d++) {
          let sum = 0;
          for (const [i, token] of seen.entries())
            sum += at(cache, valueAt(token) + d) * (weights[i] ?? 0);
          partials?.set([sum], out + d);
        }
        partials?.set([largest, weights.reduce((a, b) => a + b, 0), 0, 0], out + valueDim);
      }
    }
  }
}

function combine(shape: CachedAttentionShape, buffers: readonly Float64Array[]): void {
  const { heads, valueDim, sinks } = shape;
  const [partials, spans, third, fourth] = buffers;
  const y = sinks === undefined ? third : fourth;
  const pieces = cachePieces(shape);
  y?.fill(0);
  for (const { row, from, end } of newTokens(shape, spans)) {
    for (let head = 0; head < heads; head++) {
      const place = row * heads + head;
      const first = Math.floor(from / keysOfPiece);
      const found = Array.from({ length: Math.ceil(end / keysOfPiece) - first }, (_, i) => {
        const start = (place * pieces + first + i) * (valueDim + 4);
        return partials?.subarray(start, start + valueDim + 4) ?? new Float64Array();
      });
      const sink = sinks === undefined ? -Infinity : Math.LOG2E * at(third, head);
      const largest = Math.max(sink, ...found.map((piece) => at(piece, valueDim)));
      const scales = found.map((piece) => 2 ** (at(piece, valueDim) - largest));
      const total = found.reduce(
        (sum, piece, i) => sum + at(piece, valueDim + 1) * (scales[i] ?? 0),
        2 ** (sink - largest),
      );
      for (let d = 0; d < valueDim; d++) {
        const sum = found.reduce((all, piece, i) => all + at(piece, d) * (scales[i] ?? 0), 0);
        y?.set([sum / total], place * valueDim + d);
      }
    }
  }
}
