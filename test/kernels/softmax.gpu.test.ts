import { expect, test } from "vitest";
import type { StorageType } from "../../src/kernels/storage.ts";
import { softmax } from "../../src/kernels/softmax.ts";
import { asOnGpus } from "../support/kernel_variants.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  randomSource,
  randomTensor,
  type Tensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { type Expected, outOfTolerance } from "../support/tolerance.ts";

async function runSoftmax(x: Tensor, dtype: StorageType, kernel = softmax): Promise<Tensor> {
  const { rows, columns } = x;
  const results = await runKernel(
    await testGpu(),
    kernel,
    { rows, columns },
    dtype,
    { x: encode(x, dtype) },
    { y: tensorBytes(rows, columns, dtype) },
  );
  return decode(output(results, "y"), rows, columns, dtype);
}

function expectedSoftmax({ rows, columns, values }: Tensor): Expected {
  const result = new Float64Array(rows * columns);
  const magnitudes = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    const largest = Math.max(...own);
    const total = own.reduce((sum, v) => sum + Math.exp(v - largest), 0);
    for (const [column, v] of own.entries()) {
      const at = row * columns + column;
      result[at] = Math.exp(v - largest) / total;
      // An exponent is known to a rounding of its own size.
      magnitudes[at] = (result[at] ?? 0) * (1 + largest - v);
    }
  }
  return { values: result, magnitudes, terms: columns };
}

const shapes = [
  [1, 1],
  [1, 7],
  [8, 32],
  [9, 33],
  [67, 130],
] as const;

describeOnAdapter("softmax", () => {
  test.each(
    (["f32", "f16"] as const).flatMap((dtype) =>
      shapes.map(([rows, columns]) => ({ dtype, rows, columns })),
    ),
  )("$dtype [$rows, $columns]", async ({ dtype, rows, columns }) => {
    const x = randomTensor(rows, columns, dtype, randomSource(columns));
    const y = await runSoftmax(x, dtype);
    expect(outOfTolerance(y.values, expectedSoftmax(x), dtype)).toEqual([]);
  });

  test("[67, 130], split as on GPUs", async () => {
    const x = randomTensor(67, 130, "f32", randomSource(5));
    const y = await runSoftmax(x, "f32", asOnGpus(softmax, { rows: 67, columns: 130 }));
    expect(outOfTolerance(y.values, expectedSoftmax(x), "f32")).toEqual([]);
  });

  test("rising and far-apart values neither overflow nor lose the largest", async () => {
    const rising = Array.from({ length: 65 }, (_, i) => 50 * i - 1600);
    const x = tensor(2, 65, [...rising, ...rising.toReversed()]);
    const { values } = await runSoftmax(x, "f32");
    expect(values[64]).toBeCloseTo(1, 6);
    expect(values[65]).toBeCloseTo(1, 6);
    expect(values.filter((v) => v > 1e-6)).toHaveLength(2);
  });

  test("rows of one value far below zero are ones", async () => {
    const { values } = await runSoftmax(tensor(5, 1, [-1e37, 0, 1e37, -3, 3]), "f32");
    expect([...values]).toEqual([1, 1, 1, 1, 1]);
  });
});
