// Rows of new tokens into a cache in pages, and their attention against it in pieces, which are joined: against
// attention by its definition.

import { expect, test } from "vitest";
import { appendCache } from "../../src/kernels/append_cache.ts";
import {
  attendCache,
  cachePieces,
  type CachedAttentionShape,
  pieceElements,
} from "../../src/kernels/attend_cache.ts";
import { combineAttention } from "../../src/kernels/combine_attention.ts";
import { bytesPerElement } from "../../src/kernels/storage.ts";
import { attentionOf, type QueryHead } from "../support/attention.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
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
import { outOfTolerance } from "../support/tolerance.ts";

const cases = [
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
] as const;

describeOnAdapter("cached attention", () => {
  // Pipelines take long to compile, so f16 takes every other case.
  test.each(
    cases.flatMap((one, index) =>
      (index % 2 === 1 ? (["f32", "f16"] as const) : (["f32"] as const)).map((dtype) =>
        Object.assign({ dtype }, one),
      ),
    ),
  )("$dtype, cached as $cacheDtype, heads $heads × $dim: $what", async (one) => {
    const { dtype, spans, queries, cacheDtype, dim: headDim } = one;
    const [pages, pageTokens] = one.pages;
    const [heads, kvHeads] = one.heads;
    const batch = spans.length;
    const expectedKeys = pages * pageTokens;
    const paged = { batch, queries, pages, pageTokens, expectedKeys };
    const shape = { ...paged, heads, kvHeads, headDim, cacheDtype };
    const random = randomSource(expectedKeys);
    // A request's pages lie anywhere, and beside them is one of nobody.
    const table = shuffled(batch * pages + 1, random).slice(1);
    const columns = kvHeads * headDim;
    const all = (batch * pages + 1) * pageTokens;
    const [k, v] = [
      randomTensor(all, columns, cacheDtype, random),
      randomTensor(all, columns, cacheDtype, random),
    ];
    const qkv = randomTensor(batch * queries, (heads + 2 * kvHeads) * headDim, dtype, random);
    // Scores of up to ±20, so that the softmax is far from even.
    const sharp = tensor(
      qkv.rows,
      qkv.columns,
      qkv.values.map((value, i) => (i % qkv.columns < heads * headDim ? 4 * value : value)),
    );
    const tables = { spans: encodeIds(spans.flat()), pages: encodeIds(table) };
    const inputs = { qkv: encode(sharp, dtype), ...tables };
    const gpu = await testGpu();
    const placeOf = (request: number, token: number): number =>
      (table[request * pages + Math.floor(token / pageTokens)] ?? 0) * pageTokens +
      (token % pageTokens);

    const appended = await runKernel(gpu, appendCache, shape, dtype, inputs, {
      k: all * columns * bytesPerElement(cacheDtype),
      v: all * columns * bytesPerElement(cacheDtype),
    });
    const fresh = new Map<number, number>();
    for (const [request, [first, tokens]] of spans.entries()) {
      for (let j = 0; j < tokens; j++)
        fresh.set(placeOf(request, first + j), request * queries + j);
    }
    for (const [name, cache, start] of [
      ["k", k, heads * headDim],
      ["v", v, (heads + kvHeads) * headDim],
    ] as const) {
      const found = decode(output(appended, name), all, columns, cacheDtype).values;
      const wrong = [...found.entries()].filter(([at, actual]) => {
        const from = fresh.get(Math.floor(at / columns));
        // Untouched: what the test has put there.
        if (from === undefined) return !Number.isNaN(actual);
        const expected = sharp.values[from * sharp.columns + start + (at % columns)] ?? 0;
        cache.values[at] = actual;
        const accepted = cacheDtype === "f16" ? 2 ** -11 * Math.abs(expected) + 2 ** -25 : 0;
        return !(Math.abs(actual - expected) <= accepted);
      });
      expect(wrong).toEqual([]);
    }

    const found = await runKernel(
      gpu,
      attendCache,
      shape,
      dtype,
      { ...inputs, k: encode(k, cacheDtype), v: encode(v, cacheDtype) },
      { partials: 4 * cachePieces(shape) * pieceElements(shape) },
    );
    const results = await runKernel(
      gpu,
      combineAttention,
      shape,
      dtype,
      { partials: new Uint8Array(output(found, "partials")), spans: tables.spans },
      { y: tensorBytes(batch * queries, heads * headDim, dtype) },
    );
    const actual = decode(output(results, "y"), batch * queries, heads * headDim, dtype).values;
    for (const [request, [first, tokens]] of spans.entries()) {
      // Its pages, one after the other.
      const ordered = (cache: Tensor): Tensor =>
        tensor(
          first + tokens,
          columns,
          Float64Array.from({ length: (first + tokens) * columns }, (_, i) => {
            const row = placeOf(request, Math.floor(i / columns));
            return cache.values[row * columns + (i % columns)] ?? 0;
          }),
        );
      const own = { keys: ordered(k), values: ordered(v) };
      const seen = queryHeads(shape, request, first, tokens, sharp, own);
      const from = request * queries * heads * headDim;
      const rows = actual.subarray(from, from + tokens * heads * headDim);
      expect(outOfTolerance(rows, attentionOf(seen, headDim), dtype)).toEqual([]);
      // Nobody's rows are 0.
      const idle = tokens === 0 ? actual.subarray(from, from + heads * headDim) : [];
      expect([...idle].filter((value) => value !== 0)).toEqual([]);
    }
  });
});

/** In the order of y: a new token sees itself and what came before it. */
function queryHeads(
  { queries, heads, kvHeads, headDim }: CachedAttentionShape,
  request: number,
  first: number,
  tokens: number,
  query: Tensor,
  { keys, values }: { readonly keys: Tensor; readonly values: Tensor },
): QueryHead[] {
  return Array.from({ length: tokens }, (_, j) =>
    Array.from({ length: heads }, (_unused, head) => {
      const column = Math.floor(head / (heads / kvHeads)) * headDim;
      return {
        query: { tensor: query, row: request * queries + j, column: head * headDim },
        keys: { tensor: keys, row: 0, column },
        values: { tensor: values, row: 0, column },
        count: first + j + 1,
      };
    }),
  ).flat();
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
