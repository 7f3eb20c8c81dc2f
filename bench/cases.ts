// The cases of `npm run bench`: every kernel of the catalogue, at sizes of real layers and at odd ones.
// Each is made when its turn comes, so that operands do not pile up.

import type { StorageType } from "../src/kernels/storage.ts";
import { prefixSums } from "../test/support/prefix_sums.ts";
import { randomSource, randomTensor, tensorBytes } from "../test/support/tensors.ts";
import { attendCacheCase, combineAttentionCase, reduceWordsCase } from "./decode_cases.ts";
import {
  attentionCase,
  expertsCase,
  type KernelCase,
  matmulCase,
  wholeCase,
} from "./kernel_case.ts";

type MakeCase = () => KernelCase;

const epsilon = 1e-5;
function random(rows: number, columns: number, seed = 1) {
  return randomTensor(rows, columns, "f32", randomSource(seed));
}
function bytes(rows: number, columns: number, dtype: StorageType = "f32") {
  return tensorBytes(rows, columns, dtype);
}

export const matmuls: readonly MakeCase[] = [
  () => matmulCase(512, 512, 512),
  () => matmulCase(1024, 1024, 1024),
  () => matmulCase(512, 1024, 4096),
  () => matmulCase(1, 4096, 4096),
  () => matmulCase(3, 4096, 4096),
  () => matmulCase(8, 4096, 4096),
  () => matmulCase(32, 4096, 4096),
  () => matmulCase(123, 457, 789),
  () => matmulCase(1021, 509, 37),
  () => matmulCase(64, 64, 64),
  () => expertsCase(21, 16, 256, 1024),
  () => expertsCase(21, 16, 1024, 256),
  () => expertsCase(7, 13, 250, 333),
];

export const attentions: readonly MakeCase[] = [
  () => attentionCase(1, 512, 8, 8, 64, false),
  () => attentionCase(1, 512, 8, 8, 64, true),
  () => attentionCase(1, 512, 8, 2, 64, true),
  () => attentionCase(2, 301, 3, 3, 52, true),
  () => attentionCase(1, 256, 4, 4, 128, true),
];

/** Elementwise kernels and row reductions, x [rows, columns]. */
export function rowWise(
  rows: number,
  columns: number,
  dtype: StorageType = "f32",
): readonly MakeCase[] {
  const size = `${rows}×${columns}`;
  const y = { y: bytes(rows, columns, dtype) };
  const x = () => random(rows, columns);
  const gain = () => random(1, columns, 2);
  return [
    () =>
      wholeCase(
        `rms_norm ${size}`,
        { kernel: "rms_norm", shape: { rows, columns, epsilon } },
        { x: x(), gain: gain() },
        y,
        dtype,
      ),
    () =>
      wholeCase(
        `layer_norm ${size}`,
        { kernel: "layer_norm", shape: { rows, columns, epsilon, bias: true } },
        { x: x(), gain: gain(), bias: gain() },
        y,
        dtype,
      ),
    () =>
      wholeCase(`softmax ${size}`, { kernel: "softmax", shape: { rows, columns } }, { x: x() }, y),
    () =>
      wholeCase(
        `add_rms_norm ${size}`,
        { kernel: "add_rms_norm", shape: { rows, columns, epsilon } },
        { a: x(), b: random(rows, columns, 3), gain: gain() },
        { sum: bytes(rows, columns, dtype), ...y },
        dtype,
      ),
    () =>
      wholeCase(
        `add_layer_norm ${size}`,
        { kernel: "add_layer_norm", shape: { rows, columns, epsilon, bias: true } },
        { a: x(), b: random(rows, columns, 3), gain: gain(), bias: gain() },
        { sum: bytes(rows, columns, dtype), ...y },
        dtype,
      ),
    () =>
      wholeCase(
        `add ${size}`,
        { kernel: "add", shape: { rows, columns } },
        { a: x(), b: random(rows, columns, 2) },
        y,
        dtype,
      ),
  ];
}

/** Columns taken apart and put together, sums and means over rows. */
const layouts: readonly MakeCase[] = [
  () =>
    wholeCase(
      "gather_columns 2 × 1024×2048",
      { kernel: "gather_columns", shape: { rows: 1024, pieces: 2, pieceColumns: 2048 } },
      { x: random(2048, 2048) },
      { y: bytes(1024, 4096) },
    ),
  () =>
    wholeCase(
      "gather_columns 3 × 511×333",
      { kernel: "gather_columns", shape: { rows: 511, pieces: 3, pieceColumns: 333 } },
      { x: random(1533, 333) },
      { y: bytes(511, 999) },
    ),
  () =>
    wholeCase(
      "slice_columns 2048 of 1024×4096",
      {
        kernel: "slice_columns",
        shape: { rows: 1024, inputColumns: 4096, offset: 1024, columns: 2048 },
      },
      { x: random(1024, 4096) },
      { y: bytes(1024, 2048) },
    ),
  () =>
    wholeCase(
      "reduce_sum 4 × 2²⁰",
      { kernel: "reduce_sum", shape: { pieces: 4, elements: 2 ** 20 } },
      { x: random(4, 2 ** 20) },
      { y: bytes(1, 2 ** 20) },
    ),
  () =>
    wholeCase(
      "aggregate 4096×1024 by 64",
      { kernel: "aggregate", shape: { rows: 4096, columns: 1024, group: 64, scale: 1 / 64 } },
      { x: random(4096, 1024) },
      { y: bytes(64, 1024) },
    ),
];

/** What surrounds experts: `tokens` of `hidden` go to `topK` of `experts`. */
export function routing(
  tokens: number,
  hidden: number,
  experts: number,
  topK: number,
  dtype: StorageType = "f32",
): MakeCase[] {
  const size = `${tokens}×${hidden} to ${topK} of ${experts}`;
  const choices = tokens * topK;
  const shape = { tokens, topK, hidden, experts };
  const tables = () => {
    const source = randomSource(experts);
    const ids = Array.from({ length: tokens }, () => Math.floor(source() * experts)).flatMap(
      (first) => Array.from({ length: topK }, (_, slot) => (first + slot) % experts),
    );
    const counts = Array<number>(experts).fill(0);
    const positions = ids.map((id) => {
      const position = counts[id] ?? 0;
      counts[id] = position + 1;
      return position;
    });
    return { ids, positions, offsets: prefixSums(counts), counts };
  };
  return [
    () =>
      wholeCase(
        `route_top_k ${tokens} to ${topK} of ${experts}`,
        { kernel: "route_top_k", shape: { tokens, experts, topK, renormalise: true } },
        { logits: random(tokens, experts) },
        { ids: 4 * choices, weights: 4 * choices },
        dtype,
      ),
    () =>
      wholeCase(
        `route_positions ${tokens} to ${topK} of ${experts}`,
        { kernel: "route_positions", shape: { tokens, experts, topK } },
        { ids: tables().ids },
        { positions: 4 * choices, counts: 4 * experts, offsets: 4 * (experts + 1) },
        dtype,
      ),
    () => {
      const { ids, positions, offsets } = tables();
      return wholeCase(
        `permute_tokens ${size}`,
        { kernel: "permute_tokens", shape },
        { x: random(tokens, hidden), ids, positions, offsets },
        { y: bytes(choices, hidden, dtype) },
        dtype,
      );
    },
    () => {
      const { counts, ...named } = tables();
      return wholeCase(
        `combine_tokens ${size}`,
        { kernel: "combine_tokens", shape },
        {
          x: random(choices, hidden),
          ...named,
          kept: counts,
          // The kernel takes a table without padding.
          weights: random(1, 4 * Math.ceil(choices / 4)),
        },
        { y: bytes(tokens, hidden, dtype) },
        dtype,
      );
    },
  ];
}

const embeddings: readonly MakeCase[] = [
  () => {
    const [tokens, hidden, vocabularyRows] = [4096, 1024, 8192];
    const source = randomSource(3);
    return wholeCase(
      `embedding ${tokens}×${hidden} of ${vocabularyRows}`,
      { kernel: "embedding", shape: { tokens, hidden, vocabularyStart: 0, vocabularyRows } },
      {
        ids: Array.from({ length: tokens }, () => Math.floor(source() * vocabularyRows)),
        table: random(vocabularyRows, hidden),
      },
      { y: bytes(tokens, hidden) },
    );
  },
];

const decoding: readonly MakeCase[] = [
  () => attendCacheCase(4, 2048, 16, 4, 64),
  () => attendCacheCase(1, 4093, 8, 8, 64),
  () => combineAttentionCase(4, 2048, 16, 4, 64),
];

export const allCases: readonly MakeCase[] = [
  ...matmuls,
  ...attentions,
  ...decoding,
  ...rowWise(1024, 4096),
  ...rowWise(1021, 509),
  ...layouts,
  ...routing(4096, 1024, 64, 2),
  ...embeddings,
  () => reduceWordsCase(2, 99_999),
];
