// Rows of new tokens into a cache in pages, and their attention against it in pieces, which are joined: against
// attention by its definition.

import { expect, test } from "vitest";
import { appendCache } from "../../src/kernels/append_cache.ts";
import {
  attendCache,
  cacheColumns,
  cachePieces,
  type CachedAttentionShape,
  pieceElements,
} from "../../src/kernels/attend_cache.ts";
import { combineAttention } from "../../src/kernels/combine_attention.ts";
import { bytesPerElement } from "../../src/kernels/storage.ts";
import { scoreOf, visibleRange } from "../../src/reference/scores.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { variantKernels } from "../support/kernel_variants.ts";
import { at } from "../support/matrix_product.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  tensor,
  type Tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { type Expected, outOfTolerance } from "../support/tolerance.ts";

type Rules = Partial<
  Pick<
    CachedAttentionShape,
    "window" | "chunk" | "softcap" | "scale" | "alibi" | "sinks" | "valueDim" | "isLatent"
  >
>;

interface Case {
  readonly what: string;
  readonly spans: readonly (readonly [first: number, tokens: number])[];
  readonly queries: number;
  readonly pages: readonly [pages: number, pageTokens: number];
  readonly heads: readonly [heads: number, kvHeads: number];
  readonly dim: number;
  readonly cacheDtype: "f32" | "f16";
  readonly rules?: Rules;
  /** Tried besides: in so many, with some key heads in each. */
  readonly caches?: number;
}

const cases: readonly Case[] = [
  {
    what: "one token, the first",
    spans: [[0, 1]],
    queries: 1,
    pages: [1, 1],
    heads: [1, 1],
    dim: 4,
    cacheDtype: "f32",
  },
  {
    what: "one token each, at the edges of pieces",
    spans: [
      [62, 1],
      [63, 1],
      [64, 1],
    ],
    queries: 1,
    pages: [1, 300],
    heads: [2, 2],
    dim: 64,
    cacheDtype: "f32",
  },
  {
    what: "odd lengths in odd pages, one request idle",
    spans: [
      [0, 1],
      [2, 1],
      [0, 0],
      [298, 1],
    ],
    queries: 1,
    pages: [43, 7],
    heads: [4, 2],
    dim: 12,
    cacheDtype: "f32",
  },
  {
    what: "three rows each, some of them padding",
    spans: [
      [0, 3],
      [65, 1],
      [254, 3],
    ],
    queries: 3,
    pages: [19, 16],
    heads: [6, 2],
    dim: 80,
    cacheDtype: "f16",
  },
  {
    what: "many heads to a key",
    spans: [[98, 2]],
    queries: 2,
    pages: [8, 16],
    heads: [8, 1],
    dim: 16,
    cacheDtype: "f16",
  },
  {
    what: "a wide head",
    spans: [[69, 1]],
    queries: 1,
    pages: [1, 70],
    heads: [5, 1],
    dim: 256,
    cacheDtype: "f32",
  },
  {
    what: "a window that begins within a piece, and one of a single key",
    spans: [
      [200, 3],
      [1, 2],
    ],
    queries: 3,
    pages: [16, 13],
    heads: [4, 2],
    dim: 12,
    cacheDtype: "f32",
    rules: { window: 70 },
  },
  {
    what: "capped and scaled scores within chunks",
    spans: [
      [126, 4],
      [7, 1],
    ],
    queries: 4,
    pages: [11, 12],
    heads: [3, 1],
    dim: 8,
    cacheDtype: "f16",
    rules: { chunk: 128, softcap: 2.5, scale: 0.7 },
  },
  {
    what: "slopes and sinks of the last heads of six, values narrower than keys",
    spans: [
      [130, 2],
      [0, 1],
    ],
    queries: 2,
    pages: [3, 64],
    heads: [4, 2],
    dim: 20,
    cacheDtype: "f32",
    rules: { alibi: { heads: 6, first: 2 }, sinks: true, valueDim: 8 },
    caches: 2,
  },
  {
    what: "latent keys wider than a workgroup, whose first columns are the values",
    spans: [
      [80, 1],
      [3, 1],
    ],
    queries: 1,
    pages: [6, 16],
    heads: [5, 1],
    dim: 300,
    cacheDtype: "f16",
    rules: { isLatent: true, valueDim: 276, scale: 0.1 },
  },
];

describeOnAdapter("cached attention", () => {
  // Pipelines take long to compile, so f16 takes every other case.
  test.each(
    cases.flatMap((one, index) =>
      (index % 2 === 1 ? (["f32", "f16"] as const) : (["f32"] as const)).map((dtype) =>
        Object.assign({ dtype }, one),
      ),
    ),
  )("$dtype, cached as $cacheDtype, heads $heads × $dim: $what", async (one) => {
    const { dtype, spans, queries, cacheDtype, dim: headDim, rules = {}, caches } = one;
    const [pages, pageTokens] = one.pages;
    const [heads, kvHeads] = one.heads;
    const batch = spans.length;
    const paged = { batch, queries, pages, pageTokens, cacheDtype };
    const { valueDim = headDim, isLatent } = rules;
    const ownKeys = isLatent === true ? valueDim : kvHeads * headDim;
    const right =
      isLatent === true
        ? { dim: headDim - valueDim, heads: 1, step: headDim - valueDim }
        : { dim: valueDim, heads: kvHeads, step: valueDim };
    const queryColumns = heads * headDim + ownKeys + right.heads * right.dim;
    const shape: CachedAttentionShape = {
      ...paged,
      ...rules,
      heads,
      kvHeads,
      headDim,
      valueDim,
      queryColumns,
      expectedKeys: pages * pageTokens,
    };
    const random = randomSource(pages * pageTokens);
    // A request's pages lie anywhere, and beside them is one of nobody.
    const table = shuffled(batch * pages + 1, random).slice(1);
    const columns = cacheColumns(shape);
    const all = (batch * pages + 1) * pageTokens;
    const cache = randomTensor(all, columns, cacheDtype, random);
    const qkv = randomTensor(batch * queries, queryColumns, dtype, random);
    // Scores of up to ±20, so that the softmax is far from even.
    const sharp = tensor(
      qkv.rows,
      qkv.columns,
      qkv.values.map((value, i) => (i % qkv.columns < heads * headDim ? 4 * value : value)),
    );
    const sinks = Float32Array.from({ length: heads }, (_, head) => 2 - 3 * head);
    const tables = { spans: encodeIds(spans.flat()), pages: encodeIds(table) };
    const gpu = await testGpu();
    const placeOf = (request: number, token: number): number =>
      (table[request * pages + Math.floor(token / pageTokens)] ?? 0) * pageTokens +
      (token % pageTokens);

    const bytes = encode(sharp, dtype);
    const appended = await runKernel(
      gpu,
      appendCache,
      {
        ...paged,
        left: { columns: queryColumns, first: heads * headDim, size: ownKeys },
        right: { columns: queryColumns, first: heads * headDim + ownKeys, ...right },
      },
      dtype,
      { left: bytes, right: bytes, ...tables },
      { cache: all * columns * bytesPerElement(cacheDtype) },
    );
    const fresh = new Map<number, number>();
    for (const [request, [first, tokens]] of spans.entries()) {
      for (let j = 0; j < tokens; j++) {
        fresh.set(placeOf(request, first + j), request * queries + j);
      }
    }
    const written = decode(output(appended, "cache"), all, columns, cacheDtype).values;
    const wrong = [...written.entries()].filter(([i, actual]) => {
      const from = fresh.get(Math.floor(i / columns));
      // Untouched: what the test has put there.
      if (from === undefined) return !Number.isNaN(actual);
      const expected = at(sharp, from, heads * headDim + (i % columns));
      cache.values[i] = actual;
      const accepted = cacheDtype === "f16" ? 2 ** -11 * Math.abs(expected) + 2 ** -25 : 0;
      return !(Math.abs(actual - expected) <= accepted);
    });
    expect(wrong).toEqual([]);

    const attend = async (nth: number, tiles: number): Promise<ArrayBuffer> => {
      let partials: ArrayBuffer | undefined;
      for (let index = 0; index < tiles; index++) {
        const own = tiles === 1 ? shape : { ...shape, tile: { index, count: tiles } };
        const kernel = variantKernels(attendCache, own, gpu.report, dtype).at(nth);
        const found = await runKernel(
          gpu,
          kernel ?? attendCache,
          own,
          dtype,
          {
            q: bytes,
            ...tables,
            cache: encode(headsOf(cache, shape, index, tiles), cacheDtype),
            ...(partials && { partials: new Uint8Array(partials) }),
          },
          { partials: 4 * cachePieces(shape) * pieceElements(shape) },
        );
        partials = output(found, "partials");
      }
      return partials ?? new ArrayBuffer();
    };
    const variants = variantKernels(attendCache, shape, gpu.report, dtype);
    // Of f16 the one that the adapter takes.
    const tried = dtype === "f32" ? [...variants.keys()] : [variants.length - 1];
    const cut = [1, ...(caches === undefined ? [] : [caches])];
    for (const [nth, tiles] of tried.flatMap((each) =>
      cut.map((count) => [each, count] as const),
    )) {
      const found = await attend(nth, tiles);
      const results = await runKernel(
        gpu,
        combineAttention,
        shape,
        dtype,
        {
          partials: new Uint8Array(found),
          spans: tables.spans,
          sinks: new Uint8Array(sinks.buffer),
        },
        { y: tensorBytes(batch * queries, heads * valueDim, dtype) },
      );
      const actual = decode(output(results, "y"), batch * queries, heads * valueDim, dtype).values;
      for (const [request, [first, tokens]] of spans.entries()) {
        // Its tokens, one after the other.
        const own = tensor(
          first + tokens,
          columns,
          Float64Array.from({ length: (first + tokens) * columns }, (_, i) =>
            at(cache, placeOf(request, Math.floor(i / columns)), i % columns),
          ),
        );
        const from = request * queries * heads * valueDim;
        const rows = actual.subarray(from, from + tokens * heads * valueDim);
        const expected = attended(shape, sharp, request, spans[request] ?? [0, 0], own, sinks);
        expect(outOfTolerance(rows, expected, dtype)).toEqual([]);
        // Nobody's rows are 0.
        const idle = actual.subarray(
          from + tokens * heads * valueDim,
          from + queries * heads * valueDim,
        );
        expect([...idle].filter((value) => value !== 0)).toEqual([]);
      }
    }
  });
});

/** What one of several caches holds of the columns of all heads: its keys, then its values. */
function headsOf(
  cache: Tensor,
  { kvHeads, headDim, valueDim }: CachedAttentionShape,
  index: number,
  count: number,
): Tensor {
  if (count === 1) return cache;
  const [keys, values] = [(kvHeads * headDim) / count, (kvHeads * valueDim) / count];
  const columns = keys + values;
  const columnOf = (i: number): number =>
    i < keys ? index * keys + i : count * keys + index * values + i - keys;
  return tensor(
    cache.rows,
    columns,
    Float64Array.from({ length: cache.rows * columns }, (_, i) =>
      at(cache, Math.floor(i / columns), columnOf(i % columns)),
    ),
  );
}

/**
 * Of a request's new tokens, by definition. An absolute error in a score becomes a relative error of its probability, so the
 * magnitude of the score sums multiplies that of the output.
 */
function attended(
  shape: CachedAttentionShape,
  q: Tensor,
  request: number,
  [cached, tokens]: readonly [number, number],
  cache: Tensor,
  sinks: Float32Array,
): Expected {
  const { queries, heads, kvHeads, headDim, valueDim, isLatent } = shape;
  const values = new Float64Array(tokens * heads * valueDim);
  const magnitudes = new Float64Array(values.length);
  const rules = { ...shape, causal: true };
  for (let i = 0; i < tokens * heads; i++) {
    const [j, head] = [Math.floor(i / heads), i % heads];
    const kvHead = Math.floor((head * kvHeads) / heads);
    const firstValue = isLatent === true ? 0 : kvHeads * headDim + kvHead * valueDim;
    const [first, end] = visibleRange(rules, cached + tokens, cached + j);
    let magnitude = 0;
    const scores = Array.from({ length: end - first }, (_, k) => {
      let [sum, sizes] = [0, 0];
      for (let d = 0; d < headDim; d++) {
        const product =
          at(q, request * queries + j, head * headDim + d) *
          at(cache, first + k, kvHead * headDim + d);
        sum += product;
        sizes += Math.abs(product) * (shape.scale ?? 1 / Math.sqrt(headDim));
      }
      magnitude = Math.max(magnitude, sizes);
      return scoreOf(rules, head, cached + j, first + k, sum);
    });
    const sink = shape.sinks === true ? (sinks[head] ?? 0) : -Infinity;
    const largest = Math.max(sink, ...scores);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((a, b) => a + b, Math.exp(sink - largest));
    for (let d = 0; d < valueDim; d++) {
      for (const [k, weight] of weights.entries()) {
        const term = (weight / total) * at(cache, first + k, firstValue + d);
        values[i * valueDim + d]! += term;
        magnitudes[i * valueDim + d]! += Math.abs(term) * (1 + magnitude);
      }
    }
  }
  return { values, magnitudes, terms: cache.rows + headDim };
}

/** 0 … count - 1 in another order. */
function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
