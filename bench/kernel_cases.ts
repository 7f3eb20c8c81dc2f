// What the bench runs: kernels at shapes, their inputs, and a check of their results against f64.

import { groupedMatmul } from "../src/kernels/grouped_matmul.ts";
import type { Kernel } from "../src/kernels/kernel.ts";
import { matmul } from "../src/kernels/matmul.ts";
import { activated, product } from "../test/support/matrix_product.ts";
import { prefixSums } from "../test/support/prefix_sums.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  type Tensor,
  tensor,
  tensorBytes,
} from "../test/support/tensors.ts";
import { outOfTolerance } from "../test/support/tolerance.ts";

export interface KernelCase<Shape> {
  readonly name: string;
  readonly kernel: Kernel<Shape>;
  readonly shape: Shape;
  /** Bytes of the read bindings, by name. */
  readonly inputs: Readonly<Record<string, Uint8Array>>;
  readonly outputBytes: number;
  /** A line for each element that is too far off. */
  readonly errors: (output: ArrayBuffer) => string[];
}

/** Of a large result these rows are checked: every column, and both ends. */
const sampledRows = (rows: number): number[] => [
  ...new Set([0, 1, Math.floor(rows / 3), Math.floor(rows / 2), rows - 1].filter((i) => i < rows)),
];

const rowOf = ({ columns, values }: Tensor, row: number, count = 1): Tensor =>
  tensor(count, columns, values.subarray(row * columns, (row + count) * columns));

export function matmulCase(m: number, k: number, n: number): KernelCase<unknown> {
  const random = randomSource(m + n + k);
  const x = randomTensor(m, k, "f32", random);
  const w = randomTensor(k, n, "f32", random);
  return hidden({
    name: `${m}×${k}×${n}`,
    kernel: matmul,
    shape: { m, n, k, activation: "none" },
    inputs: { x: encode(x, "f32"), w: encode(w, "f32") },
    outputBytes: tensorBytes(m, n, "f32"),
    errors: (output) => {
      const y = decode(output, m, n, "f32");
      return sampledRows(m).flatMap((row) =>
        outOfTolerance(rowOf(y, row).values, product(rowOf(x, row), w), "f32"),
      );
    },
  });
}

/** As many rows for each expert. */
export function expertsCase(
  experts: number,
  each: number,
  k: number,
  n: number,
): KernelCase<unknown> {
  const random = randomSource(experts + n + k);
  const rows = experts * each;
  const x = randomTensor(rows, k, "f32", random);
  const w = randomTensor(experts * k, n, "f32", random);
  const offsets = prefixSums(Array.from({ length: experts }, () => each));
  return hidden({
    name: `${experts} experts ${each}×${k}×${n}`,
    kernel: groupedMatmul,
    shape: { experts, rows, expectedRows: rows, n, k, activation: "relu" },
    inputs: { x: encode(x, "f32"), w: encode(w, "f32"), offsets: encodeIds(offsets) },
    outputBytes: tensorBytes(rows, n, "f32"),
    errors: (output) => {
      const y = decode(output, rows, n, "f32");
      return [...sampledRows(rows), each - 1, each].flatMap((row) => {
        const expert = Math.floor(row / each);
        const expected = product(rowOf(x, row), rowOf(w, expert * k, k));
        return outOfTolerance(rowOf(y, row).values, activated(expected, "relu"), "f32");
      });
    },
  });
}

/** Cases of different kernels in one list: each is only ever used with its own shape. */
const hidden = <Shape>(one: KernelCase<Shape>): KernelCase<unknown> =>
  one as unknown as KernelCase<unknown>;
