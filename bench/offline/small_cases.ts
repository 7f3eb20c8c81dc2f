// Small and odd sizes of every kernel in one storage type: sizes of 1, exact tiles, and what fits nothing.
// (`reduce_words` works on parts of words, which only collectives can set up: they check it.)

import type { StorageType } from "../../src/kernels/storage.ts";
import { randomSource, randomTensor, tensorBytes } from "../../test/support/tensors.ts";
import { routing, rowWise } from "../cases.ts";
import {
  attentionCase,
  expertsCase,
  type KernelCase,
  matmulCase,
  wholeCase,
} from "../kernel_case.ts";

const products = [
  [123, 57, 89],
  [1, 37, 41],
  [64, 64, 64],
  [8, 257, 63],
  [129, 130, 131],
  [3, 64, 128],
  [1, 1, 1],
  [16, 16, 16],
] as const;

const experts = [
  [7, 13, 50, 33],
  [2, 16, 32, 64],
  [3, 5, 17, 23],
] as const;

const attentions = [
  [2, 37, 4, 2, 20],
  [1, 64, 2, 2, 64],
  [1, 1, 1, 1, 4],
  [1, 130, 3, 1, 128],
] as const;

/** The first of every kind comes first, so that a run that is cut off has seen them all. */
export function smallCases(dtype: StorageType): (() => KernelCase)[] {
  return inTurns([
    products.map(
      ([m, k, n]) =>
        () =>
          matmulCase(m, k, n, dtype),
    ),
    experts.map(
      ([count, each, k, n]) =>
        () =>
          expertsCase(count, each, k, n, dtype),
    ),
    attentions.flatMap(([batch, sequence, heads, kvHeads, headDim]) =>
      [true, false].map(
        (causal) => () => attentionCase(batch, sequence, heads, kvHeads, headDim, causal, dtype),
      ),
    ),
    [...rowWise(37, 130, dtype), ...rowWise(1, 1, dtype), ...rowWise(5, 2048, dtype)],
    [...routing(33, 64, 8, 2, dtype), ...routing(5, 9, 4, 2, dtype)],
    layouts(dtype),
  ]);
}

function inTurns<Entry>(lists: readonly (readonly Entry[])[]): Entry[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) =>
    lists.flatMap((list) => list.slice(turn, turn + 1)),
  ).flat();
}

function layouts(dtype: StorageType): (() => KernelCase)[] {
  const random = (rows: number, columns: number) =>
    randomTensor(rows, columns, dtype, randomSource(rows + columns));
  const y = (rows: number, columns: number) => ({ y: tensorBytes(rows, columns, dtype) });
  return [
    () =>
      wholeCase(
        "gather_columns 3 × 7×5",
        { kernel: "gather_columns", shape: { rows: 7, pieces: 3, pieceColumns: 5 } },
        { x: random(21, 5) },
        y(7, 15),
        dtype,
      ),
    () =>
      wholeCase(
        "slice_columns 6 of 9×21",
        { kernel: "slice_columns", shape: { rows: 9, inputColumns: 21, offset: 5, columns: 6 } },
        { x: random(9, 21) },
        y(9, 6),
        dtype,
      ),
    () =>
      wholeCase(
        "reduce_sum 3 × 1000",
        { kernel: "reduce_sum", shape: { pieces: 3, elements: 1000 } },
        { x: random(3, 1000) },
        y(1, 1000),
        dtype,
      ),
    () =>
      wholeCase(
        "aggregate 21×13 by 7",
        { kernel: "aggregate", shape: { rows: 21, columns: 13, group: 7, scale: 1 / 7 } },
        { x: random(21, 13) },
        y(3, 13),
        dtype,
      ),
    () =>
      wholeCase(
        "embedding 11×13 of 17",
        {
          kernel: "embedding",
          shape: { tokens: 11, hidden: 13, vocabularyStart: 8, vocabularyRows: 17 },
        },
        { ids: Array.from({ length: 11 }, (_, i) => 3 * i), table: random(17, 13) },
        y(11, 13),
        dtype,
      ),
  ];
}
