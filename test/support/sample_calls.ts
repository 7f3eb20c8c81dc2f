// One small call of every kernel, for tests that hold for all of them. The record is keyed by the
// catalogue, so that a new kernel does not compile before it has its sample.

import type { KernelCall, KernelName } from "../../src/kernels/catalog.ts";

const paged = { batch: 2, queries: 3, pageTokens: 13, pages: 10, cacheDtype: "f32" } as const;

const cached = {
  ...paged,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  valueDim: 8,
  queryColumns: 64,
  expectedKeys: 100,
} as const;

const samples: { [Name in KernelName]: Extract<KernelCall, { kernel: Name }>["shape"] } = {
  activate: { rows: 3, columns: 5, activation: "silu", gate: true },
  activation_gradient: { rows: 3, columns: 5, activation: "silu", gate: true },
  add: { rows: 3, columns: 5 },
  add_layer_norm: { rows: 3, columns: 5, epsilon: 1e-5, bias: true },
  add_rms_norm: { rows: 3, columns: 5, epsilon: 1e-5 },
  aggregate: { rows: 6, columns: 5, group: 3, scale: 1 / 3 },
  append_cache: {
    ...paged,
    left: { columns: 64, first: 32, size: 16 },
    right: { columns: 64, first: 48, step: 8, dim: 8, heads: 2 },
  },
  attend_cache: cached,
  attention: { batch: 2, sequence: 5, heads: 4, kvHeads: 2, headDim: 8, causal: true },
  attention_gradient: { batch: 2, sequence: 5, heads: 4, kvHeads: 2, headDim: 8, causal: true },
  attention_scores: { batch: 2, sequence: 5, heads: 4, kvHeads: 2, headDim: 8, causal: true },
  attention_statistics: { batch: 2, sequence: 5, heads: 4, kvHeads: 2, headDim: 8, causal: true },
  attention_values: { batch: 2, sequence: 5, heads: 4, kvHeads: 2, headDim: 8, causal: true },
  begin_update: {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    clipNorm: 1,
    warmupSteps: 10,
    lossScale: 8,
  },
  causal_conv: { rows: 6, columns: 5, taps: 4, sequence: 3 },
  column_sums: { rows: 3, columns: 5, accumulate: true },
  combine_attention: cached,
  combine_tokens: { tokens: 3, topK: 2, hidden: 5, experts: 4 },
  combine_weight_gradient: { tokens: 3, topK: 2, hidden: 5, experts: 4 },
  cross_entropy: { rows: 3, blocks: 2 },
  cross_entropy_gradient: { rows: 3, columns: 5, firstColumn: 5, blocks: 2, scale: 1 / 3 },
  embedding: { tokens: 3, hidden: 5, vocabularyStart: 8, vocabularyRows: 7 },
  embedding_gradient: { tokens: 3, hidden: 5, vocabularyStart: 8, vocabularyRows: 7 },
  gather_columns: { rows: 3, pieces: 2, pieceColumns: 5 },
  gated_delta: { batch: 2, sequence: 3, keyHeads: 1, valueHeads: 3, keyDim: 8, valueDim: 4 },
  grouped_matmul: { experts: 4, rows: 12, expectedRows: 6, n: 5, k: 7, activation: "gelu" },
  grouped_weight_gradient: { experts: 4, rows: 12, expectedRows: 6, m: 7, n: 5 },
  layer_norm: { rows: 3, columns: 5, epsilon: 1e-5, bias: true },
  loss_statistics: { rows: 3, columns: 5, firstColumn: 5 },
  matmul: { m: 3, n: 5, k: 7, activation: "gelu" },
  mean_squares: { rows: 3, columns: 28, queryColumns: 16, keyColumns: 8, ranks: 2 },
  norm_input_gradient: { rows: 3, columns: 5, epsilon: 1e-5, centered: true, residual: true },
  norm_weight_gradient: { rows: 3, columns: 5, bias: true },
  permute_tokens: { tokens: 3, topK: 2, hidden: 5, experts: 4 },
  reduce_sum: { pieces: 3, elements: 8 },
  reduce_words: { dtype: "f32", pieces: 3, elements: 5 },
  rms_norm: { rows: 3, columns: 5, epsilon: 1e-5 },
  rotary: {
    rows: 6,
    sequence: 3,
    heads: 2,
    kvHeads: 1,
    headDim: 8,
    columns: 32,
    turn: { first: 0, dims: 6, interleaved: false },
    norm: { kind: "head", epsilon: 1e-6 },
    temperature: { scale: 0.1, interval: 2, offset: 1 },
  },
  route_gradient: {
    tokens: 3,
    experts: 4,
    topK: 2,
    renormalise: true,
    balance: { factor: 0.01, blocks: 2 },
    logarithm: 0.02,
  },
  route_positions: { tokens: 3, experts: 4, topK: 2 },
  route_top_k: { tokens: 3, experts: 4, topK: 2, renormalise: true },
  slice_columns: { rows: 3, inputColumns: 9, offset: 3, columns: 5 },
  softmax: { rows: 3, columns: 5 },
  clear: { elements: 24 },
  squared_error: { rows: 3, columns: 5 },
  squared_error_gradient: { rows: 3, columns: 5, scale: 1 / 15 },
  sum_squares: { elements: 24 },
  update_weight: {
    elements: 24,
    optimizer: "adamw",
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    momentum: 0,
    master: true,
  },
};

// A name and the shape that stands beside it in the record belong together.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const sampleCalls = Object.entries(samples).map(([kernel, shape]) => ({
  kernel,
  shape,
})) as KernelCall[];
