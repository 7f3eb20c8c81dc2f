// One new token of each sequence against a cache of keys and values, as two kernels; and elements that
// collectives add where pieces share words.

import {
  cachePieces,
  type CachedAttentionShape,
  pieceElements,
} from "../src/kernels/attend_cache.ts";
import { encodeHeader, headerWords } from "../src/kernels/reduce_words.ts";
import {
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  tensorBytes,
} from "../test/support/tensors.ts";
import { outOfTolerance } from "../test/support/tolerance.ts";
import { attentionRow, rowsOf } from "./expected_rows.ts";
import { firstWrong, type KernelCase } from "./kernel_case.ts";

/** Of the largest value. */
const accepted = 1e-5;

/** Of one page to a sequence. */
function shapeOf(batch: number, keys: number, heads: number, kvHeads: number, headDim: number) {
  return {
    batch,
    queries: 1,
    pageTokens: keys,
    pages: 1,
    expectedKeys: keys,
    heads,
    kvHeads,
    headDim,
    valueDim: headDim,
    queryColumns: (heads + 2 * kvHeads) * headDim,
    cacheDtype: "f32",
  } as const;
}

function partialElements(shape: CachedAttentionShape): number {
  return cachePieces(shape) * pieceElements(shape);
}

/** The last of all keys is the new token's. */
function spansOf({ batch, expectedKeys }: CachedAttentionShape) {
  return encodeIds(Array.from({ length: batch }, () => [expectedKeys - 1, 1]).flat());
}

function pagesOf({ batch }: CachedAttentionShape) {
  return encodeIds(Array.from({ length: batch }, (_, i) => i));
}

function sizeOf({ batch, pageTokens, heads, kvHeads, headDim }: CachedAttentionShape): string {
  return `${batch}×${heads}/${kvHeads}×${pageTokens}×${headDim}`;
}

export function attendCacheCase(
  ...sizes: readonly [batch: number, keys: number, heads: number, kvHeads: number, headDim: number]
): KernelCase {
  const shape = shapeOf(...sizes);
  const { batch, pageTokens: capacity, heads, kvHeads, headDim } = shape;
  const random = randomSource(capacity);
  const pitch = (heads + 2 * kvHeads) * headDim;
  const q = randomTensor(batch, pitch, "f32", random);
  const columns = 2 * kvHeads * headDim;
  const cache = randomTensor(batch * capacity, columns, "f32", random);
  return {
    name: `attend_cache ${sizeOf(shape)}`,
    call: { kernel: "attend_cache", shape },
    inputs: {
      q: encode(q, "f32"),
      spans: spansOf(shape),
      pages: pagesOf(shape),
      cache: encode(cache, "f32"),
    },
    outputs: { partials: 4 * partialElements(shape) },
    findWrong({ partials = new ArrayBuffer(0) }) {
      const actual = combined(new Float32Array(partials), shape);
      for (let row = 0; row < batch; row += 1) {
        const from = row * heads * headDim;
        const expected = attentionRow(
          q.values.subarray(row * pitch, row * pitch + heads * headDim),
          rowsOf(cache.values, columns, row * capacity * columns),
          rowsOf(cache.values, columns, row * capacity * columns + columns / 2),
          capacity,
          { heads, kvHeads, headDim },
        );
        const [wrong] = outOfTolerance(
          actual.subarray(from, from + heads * headDim),
          expected,
          "f32",
        );
        if (wrong !== undefined) return `sequence ${row}, column ${wrong}`;
      }
      return undefined;
    },
  };
}

export function combineAttentionCase(
  ...sizes: readonly [batch: number, keys: number, heads: number, kvHeads: number, headDim: number]
): KernelCase {
  const shape = shapeOf(...sizes);
  const { batch, heads, headDim } = shape;
  const random = randomSource(shape.pageTokens);
  // As attend_cache leaves them: a total counts each key of the piece for at most 1, one of them for 1.
  const partials = Float32Array.from({ length: partialElements(shape) }, (_, i) =>
    i % (headDim + 4) === headDim + 1 ? 1 + 63 * random() : 2 * random() - 1,
  );
  return {
    name: `combine_attention ${sizeOf(shape)}`,
    call: { kernel: "combine_attention", shape },
    inputs: { partials: new Uint8Array(partials.buffer), spans: spansOf(shape) },
    outputs: { y: tensorBytes(batch, heads * headDim, "f32") },
    findWrong: ({ y = new ArrayBuffer(0) }) =>
      firstWrong(Float64Array.from(new Float32Array(y)), combined(partials, shape), accepted),
  };
}

/** y [batch, heads · headDim] in f64 from what was found in each piece of 64 keys. */
function combined(partials: Float32Array, shape: CachedAttentionShape): Float64Array {
  const { batch, heads, headDim } = shape;
  const pieces = cachePieces(shape);
  const pitch = headDim + 4;
  const y = new Float64Array(batch * heads * headDim);
  for (let row = 0; row < batch * heads; row += 1) {
    const found = Array.from({ length: pieces }, (_, piece) => {
      const first = (row * pieces + piece) * pitch;
      return partials.subarray(first, first + pitch);
    });
    const largest = Math.max(...found.map((piece) => piece[headDim] ?? 0));
    let total = 0;
    for (const piece of found) {
      const scale = 2 ** ((piece[headDim] ?? 0) - largest);
      total += scale * (piece[headDim + 1] ?? 0);
      for (let d = 0; d < headDim; d += 1) y[row * headDim + d]! += scale * (piece[d] ?? 0);
    }
    for (let d = 0; d < headDim; d += 1) y[row * headDim + d]! /= total;
  }
  return y;
}

/** Pieces that begin at the second element of a word quad, as those of odd sizes do. */
export function reduceWordsCase(pieces: number, elements: number): KernelCase {
  const skip = 1;
  const pitch = elements + skip;
  const { values } = randomTensor(1, pieces * pitch, "f32", randomSource(pieces));
  const header = encodeHeader({ pieces, elements, begin: headerWords, pitch, skip, first: skip });
  const x = new Uint8Array(header.byteLength + 4 * values.length);
  x.set(new Uint8Array(header.buffer));
  x.set(new Uint8Array(Float32Array.from(values).buffer), header.byteLength);
  return {
    name: `reduce_words ${pieces} × ${elements}`,
    call: { kernel: "reduce_words", shape: { dtype: "f32", pieces, elements } },
    inputs: { x },
    outputs: { y: 4 * pitch },
    findWrong({ y = new ArrayBuffer(0) }) {
      const expected = Float64Array.from({ length: elements }, (_, e) => {
        let sum = 0;
        for (let piece = 0; piece < pieces; piece += 1)
          sum += values[piece * pitch + skip + e] ?? 0;
        return sum;
      });
      return firstWrong(Float64Array.from(new Float32Array(y, 4 * skip)), expected, accepted);
    },
  };
}
