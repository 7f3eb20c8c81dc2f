// FLOPs and bytes by hand, from the shapes of support/sample_calls.ts: rows of 5 columns occupy 8 elements.

import { expect, test } from "vitest";
import { kernelOf, type KernelName } from "../../src/kernels/catalog.ts";
import { attention } from "../../src/kernels/attention.ts";
import { fold } from "../../src/kernels/grid.ts";
import { groupedMatmul } from "../../src/kernels/grouped_matmul.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import { paddedElements, rowPitch, rowQuads } from "../../src/kernels/storage.ts";
import { sampleCalls } from "../support/sample_calls.ts";

interface Counts {
  readonly flops: number;
  /** Elements of the storage type that cross memory. */
  readonly elements: number;
  /** Bytes of ids, positions, weights and the like, whatever the storage type. */
  readonly tables: number;
}

const counts: Record<KernelName, Counts> = {
  // The gate alone.
  activate: { flops: 15, elements: 3 * 24, tables: 0 },
  activation_gradient: { flops: 45, elements: 5 * 24, tables: 0 },
  add: { flops: 15, elements: 3 * 24, tables: 0 },
  add_layer_norm: { flops: 120, elements: 4 * 24 + 10, tables: 0 },
  add_rms_norm: { flops: 75, elements: 4 * 24 + 5, tables: 0 },
  aggregate: { flops: 30, elements: 48 + 16, tables: 0 },
  // Keys and values of 6 rows, from one type to the other; spans of 2 words, and 10 pages each.
  append_cache: { flops: 0, elements: 6 * 32, tables: 4 * 6 * 32 + 4 * 2 * 12 },
  // 2 sequences · 3 queries · 98, 99 and 100 keys · 4 heads · 8 columns · 2 products · 2; 2 of 3 pieces hold keys, each
  // leaves 8 + 4 numbers for every query and head. The cache is f32.
  attend_cache: {
    flops: 76_032,
    elements: 2 * 3 * 32,
    tables: 4 * 2 * 2 * 100 * 16 + 4 * 2 * 12 + 4 * 24 * 2 * 12,
  },
  // 2 sequences · 4 heads · 5 · 5 scores · 8 columns · 2 products · 2, and half of that is masked.
  attention: { flops: 3200, elements: 10 * (64 + 32), tables: 0 },
  // Of 2 sequences and 4 heads the 3 late queries see all 6 keys. State: 4 · 12 numbers a row, read and written.
  attention_block: { flops: 2 * 8 * 18 * 16, elements: 12 * 64, tables: 12 * 4 * 96 },
  // Gradients of queries are read and written, those of keys and values written.
  attention_block_gradient: {
    flops: 2 * 8 * 18 * 40,
    elements: 12 * 96,
    tables: 12 * (4 * 96 + 32),
  },
  attention_block_statistics: { flops: 96, elements: 96, tables: 72 },
  // Five products where attention has two; qkv, its gradient and dy.
  attention_gradient: { flops: 8000, elements: 10 * (64 + 64 + 32), tables: 10 * 4 * 8 },
  // All 2 · 4 · 5 · 5 scores of 8 columns each; 5 columns of scores take 8.
  attention_scores: { flops: 3200, elements: 10 * 48, tables: 4 * 2 * 4 * 5 * 8 },
  // One of its products, and dy · y; of qkv queries and keys alone.
  attention_statistics: {
    flops: 1600 + 2 * 10 * 32,
    elements: 10 * (48 + 2 * 32),
    tables: 10 * 4 * 8,
  },
  attention_values: { flops: 3200, elements: 10 * (16 + 32), tables: 4 * 2 * 4 * 5 * 8 },
  // 1024 sums and a state of 8 words, read and written.
  begin_update: { flops: 1024, elements: 0, tables: 8 * 1032 },
  // The result is read and written.
  causal_conv: { flops: 2 * 30 * 4, elements: 2 * 48 + 32, tables: 0 },
  column_sums: { flops: 15, elements: 24, tables: 2 * 32 },
  combine_attention: {
    flops: 2 * 24 * 2 * 12,
    elements: 2 * 3 * 32,
    tables: 4 * 4 + 4 * 24 * 2 * 12,
  },
  // Dropped choices are not known beforehand, so all 6 count.
  combine_tokens: { flops: 60, elements: 3 * 24, tables: 3 * 24 + 2 * 16 },
  combine_weight_gradient: { flops: 60, elements: 3 * 24, tables: 3 * 24 + 2 * 16 },
  // 4 numbers of each row in either block, and a loss.
  cross_entropy: { flops: 24, elements: 0, tables: 4 * 2 * 3 * 4 + 4 * 4 },
  cross_entropy_gradient: { flops: 60, elements: 2 * 24, tables: 4 * 3 + 4 * 2 * 3 * 4 },
  embedding: { flops: 0, elements: 2 * 24, tables: 12 },
  // Rows of the table are read and written.
  embedding_gradient: { flops: 15, elements: 24, tables: 12 + 8 * 24 },
  gather_columns: { flops: 0, elements: 2 * 24 + 36, tables: 0 },
  grouped_matmul: { flops: 420, elements: 6 * 8 + 4 * 7 * 8 + 6 * 8, tables: 0 },
  // 6 tokens of 3 heads, each with a state [8, 4].
  gated_delta: { flops: 7 * 18 * 32, elements: 6 * 28 + 2 * 24 + 6 * 12, tables: 16 },
  // Weights of 4 experts are read and written.
  grouped_weight_gradient: { flops: 420 + 4 * 35, elements: 6 * 8 + 6 * 8, tables: 8 * 4 * 7 * 8 },
  // 3 rows of 2 heads, each 8 by 12 of which w has a block, and 4 columns that are copied.
  head_matmul: { flops: 2 * 6 * 96, elements: 6 * 12 + 2 * 96 + 6 * 16, tables: 0 },
  // 6 rows · 3 heads · 8 columns, with two numbers of each head; sums of 2 heads' 8 columns are read and written.
  head_gain_gradient: { flops: 4 * 144, elements: 2 * 144, tables: 6 * 3 * 8 + 2 * 4 * 16 },
  // x of heads alone, dy and dx of 28 columns, gains of two heads.
  head_norm_gradient: { flops: 8 * 144, elements: 144 + 2 * 168 + 16, tables: 6 * 3 * 8 },
  // 3 rows of 2 · (12 + 12 + 4); 24, 24 and 12 columns of them, of which the last 4 are sums over heads.
  latent_gradient: { flops: 3 * 2 * 4, elements: 3 * 56 + 3 * 60, tables: 0 },
  layer_norm: { flops: 105, elements: 2 * 24 + 10, tables: 0 },
  loss_statistics: { flops: 45, elements: 24, tables: 4 * 3 + 16 * 3 },
  matmul: { flops: 210, elements: 24 + 56 + 24, tables: 0 },
  mean_squares: { flops: 144, elements: 3 * 24, tables: 3 * 16 },
  norm_input_gradient: { flops: 12 * 15, elements: 4 * 24 + 8, tables: 3 * 16 },
  norm_weight_gradient: { flops: 75, elements: 2 * 24, tables: 3 * 16 + 2 * 32 },
  // Keys and values are summands of two ranks.
  pack_attention_gradient: { flops: 72, elements: 120, tables: 4 * 3 * (16 + 48) },
  pack_keys_values: { flops: 0, elements: 2 * 72, tables: 0 },
  permute_tokens: { flops: 0, elements: 3 * 24, tables: 2 * 24 + 16 },
  // Rows of the table are read and written.
  position_gradient: { flops: 30, elements: 48, tables: 8 * 24 },
  put_columns: { flops: 0, elements: 0, tables: 8 * 24 },
  reduce_sum: { flops: 16, elements: 4 * 8, tables: 0 },
  reduce_words: { flops: 10, elements: 4 * 5, tables: 0 },
  rms_norm: { flops: 60, elements: 2 * 24 + 5, tables: 0 },
  // 6 rows · 3 heads · 8 columns, of which 6 are turned with 3 each, and all normalized with 4,
  // and 2 heads of queries grow; a table of 3 positions.
  rotary: { flops: 432 * 0.75 + 4 * 144 + 96, elements: 2 * 144 + 16, tables: 4 * 3 * 8 },
  route_gradient: { flops: 3 * 40, elements: 2 * 12, tables: 2 * 24 + 2 * 16 },
  route_positions: { flops: 0, elements: 0, tables: 2 * 24 + 32 },
  route_top_k: { flops: 72, elements: 12, tables: 2 * 24 },
  row_gate_gradient: { flops: 45, elements: 3 * 24 + 2 * 12, tables: 0 },
  // 5 heads take 8; sinks are read, sums read and written.
  sink_gradient: { flops: 4 * 30, elements: 0, tables: 8 * 30 + 3 * 4 * 8 },
  slice_columns: { flops: 0, elements: 2 * 24, tables: 0 },
  softmax: { flops: 60, elements: 2 * 24, tables: 0 },
  spread_rows: { flops: 30, elements: 48 + 16, tables: 0 },
  squared_error: { flops: 45, elements: 2 * 24, tables: 4 * 4 },
  squared_error_gradient: { flops: 30, elements: 3 * 24, tables: 0 },
  clear: { flops: 0, elements: 0, tables: 4 * 24 },
  // All of x by one workgroup, for one of the sums.
  sum_squares: { flops: 48, elements: 0, tables: 4 * 24 + 8 },
  // Each of two passes compares 5 columns; 7 take 8.
  top_logits: { flops: 3 * 5 * 2, elements: 24, tables: 8 * 3 * 2 },
  // Gradient, master and both moments are read and written, the weight is written; and the state is read.
  update_weight: { flops: 14 * 24, elements: 24, tables: 4 * 8 * 24 + 4 * 8 },
};

test.each(sampleCalls.map((call) => [call.kernel, call] as const))(
  "%s: FLOPs and bytes",
  (name, call) => {
    const kernel = kernelOf(call);
    const { flops, elements, tables } = counts[name];
    expect(kernel.flops(call.shape)).toBe(flops);
    expect(kernel.bytes(call.shape, "f32")).toBe(4 * elements + tables);
    expect(kernel.bytes(call.shape, "f16")).toBe(2 * elements + tables);
  },
);

test("an activation is not counted: it is not what the layer is measured by", () => {
  const shape = { m: 3, n: 5, k: 7 };
  expect(matmul.flops({ ...shape, activation: "gelu" })).toBe(
    matmul.flops({ ...shape, activation: "none" }),
  );
});

test("a causal mask halves the work of attention and leaves its bytes", () => {
  const full = { batch: 1, sequence: 64, heads: 2, kvHeads: 2, headDim: 16, causal: false };
  const causal = { ...full, causal: true };
  expect(attention.flops(causal)).toBe(attention.flops(full) / 2);
  expect(attention.bytes(causal, "f32")).toBe(attention.bytes(full, "f32"));
});

test.each([
  // Of 16 queries each sees up to 4 keys: 4 · 16 scores without the triangle before the first, half of 4 · 4.
  [{ causal: true, window: 4 }, 56],
  [{ causal: true, window: 16 }, 128],
  [{ causal: true, window: 99 }, 128],
  // Both ways, its own position once.
  [{ causal: false, window: 4 }, 16 * 7 - 4 * 3],
  // Three chunks of 5 and a token.
  [{ causal: true, chunk: 5 }, 3 * 12.5 + 0.5],
  [{ causal: false, chunk: 5 }, 3 * 25 + 1],
])("attention with %j counts what is attended: %d pairs of 16 tokens", (rules, pairs) => {
  const shape = { batch: 1, sequence: 16, heads: 1, kvHeads: 1, headDim: 4, ...rules };
  expect(attention.flops(shape)).toBe(16 * pairs);
});

test("values of another width than keys count as wide as they are", () => {
  const shape = { batch: 1, sequence: 16, heads: 2, kvHeads: 2, headDim: 24, causal: false };
  const values = { dim: 8, columns: 32, first: 8, step: 16 };
  expect(attention.flops({ ...shape, values })).toBe(2 * 2 * 256 * 32);
  expect(attention.bytes({ ...shape, values }, "f32")).toBe(4 * 16 * (4 * 24 + 4 * 8));
});

test("grouped_matmul counts the rows that are expected, not those its buffers hold", () => {
  const shape = { experts: 3, expectedRows: 24, n: 8, k: 8, activation: "none" } as const;
  expect(groupedMatmul.flops({ ...shape, rows: 24 })).toBe(
    groupedMatmul.flops({ ...shape, rows: 900 }),
  );
});

test.each([
  [0, 0],
  [1, 1],
  [4, 1],
  [5, 2],
])("a row of %i columns is %i quads", (columns, quads) => {
  expect(rowQuads(columns)).toBe(quads);
  expect(rowPitch(columns)).toBe(4 * quads);
  expect(paddedElements(3, columns)).toBe(12 * quads);
});

test.each([
  [0, 1, 1],
  [1, 1, 1],
  [65_535, 65_535, 1],
  [65_536, 32_768, 2],
  [10_000_019, 65_360, 153],
])("%i workgroups fold into %i × %i", (count, x, y) => {
  expect(fold(count)).toEqual([x, y]);
  expect(x * y - count).toBeLessThan(Math.max(y, 2));
});
