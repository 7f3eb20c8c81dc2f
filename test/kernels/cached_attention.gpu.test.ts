import { expect, test } from "vitest";
import {
  attendCache,
  type CachedAttentionShape,
  partialElements,
} from "../../src/kernels/attend_cache.ts";
import { combineAttention } from "../../src/kernels/combine_attention.ts";
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
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const cases = [
  { what: "one token, the first", lengths: [1], queries: 1, capacity: 1, heads: [1, 1], dim: 4 },
  { what: "one token", lengths: [63, 64, 65], queries: 1, capacity: 300, heads: [2, 2], dim: 64 },
  {
    what: "odd lengths",
    lengths: [1, 3, 129, 299],
    queries: 1,
    capacity: 299,
    heads: [4, 2],
    dim: 12,
  },
  {
    what: "three tokens",
    lengths: [3, 66, 257],
    queries: 3,
    capacity: 300,
    heads: [6, 2],
    dim: 80,
  },
  {
    what: "many heads to a key",
    lengths: [100],
    queries: 2,
    capacity: 128,
    heads: [8, 1],
    dim: 16,
  },
  { what: "a wide head", lengths: [70], queries: 1, capacity: 70, heads: [5, 1], dim: 256 },
] as const;

describeOnAdapter("cached attention", () => {
  // Pipelines take long to compile, so f16 takes every other case.
  test.each(
    cases.flatMap((one, index) =>
      (index % 2 === 1 ? (["f32", "f16"] as const) : (["f32"] as const)).map((dtype) =>
        Object.assign({ dtype }, one),
      ),
    ),
  )("$dtype, $queries new of $lengths cached, heads $heads × $dim: $what", async (one) => {
    const { dtype, lengths, queries, capacity, dim: headDim } = one;
    const [heads, kvHeads] = one.heads;
    const batch = lengths.length;
    const shape = { batch, queries, capacity, expectedKeys: capacity, heads, kvHeads, headDim };
    const random = randomSource(capacity);
    const sharp = randomTensor(batch * queries, heads * headDim, dtype, random);
    // Scores of up to ±20, so that the softmax is far from even.
    const q = tensor(
      sharp.rows,
      sharp.columns,
      sharp.values.map((value) => 4 * value),
    );
    const k = randomTensor(batch * capacity, kvHeads * headDim, dtype, random);
    const v = randomTensor(batch * capacity, kvHeads * headDim, dtype, random);
    const table = encodeIds(lengths);
    const found = await runKernel(
      await testGpu(),
      attendCache,
      shape,
      dtype,
      { q: encode(q, dtype), k: encode(k, dtype), v: encode(v, dtype), lengths: table },
      { partials: 4 * partialElements(shape) },
    );
    const results = await runKernel(
      await testGpu(),
      combineAttention,
      shape,
      dtype,
      { partials: new Uint8Array(output(found, "partials")), lengths: table },
      { y: tensorBytes(batch * queries, heads * headDim, dtype) },
    );
    const actual = decode(output(results, "y"), batch * queries, heads * headDim, dtype).values;
    const seen = queryHeads(shape, lengths, (sequence, query, head) => {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const cached = { row: sequence * capacity, column: kvHead * headDim };
      return {
        query: { tensor: q, row: sequence * queries + query, column: head * headDim },
        keys: { tensor: k, ...cached },
        values: { tensor: v, ...cached },
      };
    });
    expect(outOfTolerance(actual, attentionOf(seen, headDim), dtype)).toEqual([]);
  });
});

/** In the order of y: a new token sees itself and what came before it. */
function queryHeads(
  { queries, heads }: CachedAttentionShape,
  lengths: readonly number[],
  placed: (sequence: number, query: number, head: number) => Omit<QueryHead, "count">,
): QueryHead[] {
  return lengths.flatMap((length, sequence) =>
    Array.from({ length: queries }, (_, query) =>
      Array.from({ length: heads }, (_unused, head) => ({
        ...placed(sequence, query, head),
        count: length - queries + query + 1,
      })),
    ).flat(),
  );
}
