// The kernels over caches of keys and values in f64; buffers in the order of their bindings.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import { cachePieces } from "../../src/kernels/attend_cache.ts";
import type { CacheShape } from "../../src/kernels/cache_shape.ts";

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
  { pageTokens, pages }: CacheShape,
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

function append(shape: CacheShape, [qkv, spans, table, k, v]: readonly Float64Array[]): void {
  const { batch, queries, heads, kvHeads, headDim } = shape;
  const columns = kvHeads * headDim;
  const pitch = (heads + 2 * kvHeads) * headDim;
  for (let request = 0; request < batch; request++) {
    const { first, tokens, placeOf } = requestOf(shape, request, spans, table);
    for (let j = 0; j < tokens; j++) {
      const from = (request * queries + j) * pitch + heads * headDim;
      const to = placeOf(first + j) * columns;
      k?.set(qkv?.subarray(from, from + columns) ?? [], to);
      v?.set(qkv?.subarray(from + columns, from + 2 * columns) ?? [], to);
    }
  }
}

/** Of each row, head and piece: Σ exp2(score - largest) · v, the largest score in units of log 2, Σ exp2(…), 0, 0. */
function attend(
  shape: CacheShape,
  [qkv, spans, table, k, v, partials]: readonly Float64Array[],
): void {
  const { batch, queries, heads, kvHeads, headDim } = shape;
  const pitch = (heads + 2 * kvHeads) * headDim;
  const pieces = cachePieces(shape);
  for (let row = 0; row < batch * queries; row++) {
    const request = Math.floor(row / queries);
    const { first, tokens, placeOf } = requestOf(shape, request, spans, table);
    if (tokens === 0) continue;
    const visible = Math.min(first + (row % queries) + 1, first + tokens);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      const start = (token: number): number => (placeOf(token) * kvHeads + kvHead) * headDim;
      for (let piece = 0; piece * keysOfPiece < first + tokens; piece++) {
        const keys = Array.from({ length: keysOfPiece }, (_, i) => piece * keysOfPiece + i);
        const seen = keys.filter((token) => token < visible);
        const scores = seen.map((token) => {
          let sum = 0;
          for (let d = 0; d < headDim; d++) {
            sum += at(qkv, row * pitch + head * headDim + d) * at(k, start(token) + d);
          }
          return (sum * Math.LOG2E) / Math.sqrt(headDim);
        });
        const largest = Math.max(-3.4e38, ...scores);
        const weights = scores.map((score) => 2 ** (score - largest));
        const out = ((row * heads + head) * pieces + piece) * (headDim + 4);
        for (let d = 0; d < headDim; d++) {
          let sum = 0;
          for (const [i, token] of seen.entries())
            sum += at(v, start(token) + d) * (weights[i] ?? 0);
          partials?.set([sum], out + d);
        }
        partials?.set([largest, weights.reduce((a, b) => a + b, 0), 0, 0], out + headDim);
      }
    }
  }
}

function combine(shape: CacheShape, [partials, spans, y]: readonly Float64Array[]): void {
  const { batch, queries, heads, headDim } = shape;
  const pieces = cachePieces(shape);
  for (let row = 0; row < batch * queries; row++) {
    const request = Math.floor(row / queries);
    const [first, tokens] = [at(spans, 2 * request), at(spans, 2 * request + 1)];
    const used = tokens === 0 ? 0 : Math.ceil((first + tokens) / keysOfPiece);
    for (let head = 0; head < heads; head++) {
      const place = row * heads + head;
      const found = Array.from({ length: used }, (_, piece) => {
        const from = (place * pieces + piece) * (headDim + 4);
        return partials?.subarray(from, from + headDim + 4) ?? new Float64Array();
      });
      const largest = Math.max(...found.map((piece) => at(piece, headDim)));
      const scales = found.map((piece) => 2 ** (at(piece, headDim) - largest));
      const total = found.reduce(
        (sum, piece, i) => sum + at(piece, headDim + 1) * (scales[i] ?? 0),
        0,
      );
      for (let d = 0; d < headDim; d++) {
        const sum = found.reduce((all, piece, i) => all + at(piece, d) * (scales[i] ?? 0), 0);
        y?.set([used === 0 ? 0 : sum / total], place * headDim + d);
      }
    }
  }
}
