import { expect, test } from "vitest";
import { layerNorm } from "../../src/kernels/layer_norm.ts";
import { rmsNorm } from "../../src/kernels/rms_norm.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  randomSource,
  randomTensor,
  rounded,
  type Tensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { type Expected, outOfTolerance } from "../support/tolerance.ts";

const cases = (["f32", "f16"] as const).flatMap((dtype) =>
  (
    [
      [1, 1],
      [1, 7],
      [8, 32],
      [9, 33],
      [67, 130],
    ] as const
  ).map(([rows, columns]) => ({ dtype, rows, columns })),
);
const epsilon = 1e-5;

describeOnAdapter("norms", () => {
  test.each(cases)("rms_norm, $dtype [$rows, $columns]", async ({ dtype, rows, columns }) => {
    const random = randomSource(columns);
    const x = randomTensor(rows, columns, dtype, random);
    const gain = randomTensor(1, columns, dtype, random);
    const results = await runKernel(
      await testGpu(),
      rmsNorm,
      { rows, columns, epsilon },
      dtype,
      { x: encode(x, dtype), gain: encode(gain, dtype) },
      { y: tensorBytes(rows, columns, dtype) },
    );
    const values = byRow(x, (row) => {
      const scale = 1 / Math.sqrt(mean(row.map((v) => v * v)) + epsilon);
      return row.map((v, i) => v * scale * (gain.values[i] ?? 0));
    });
    const expected: Expected = { values, magnitudes: values.map(Math.abs), terms: columns };
    expect(
      outOfTolerance(decode(output(results, "y"), rows, columns, dtype).values, expected, dtype),
    ).toEqual([]);
  });

  test.each(
    cases.flatMap((one) => [
      { ...one, shift: 0 },
      { ...one, shift: 100 },
    ]),
  )(
    "layer_norm, $dtype [$rows, $columns] around $shift",
    async ({ dtype, rows, columns, shift }) => {
      const random = randomSource(columns);
      const around = randomTensor(rows, columns, dtype, random).values;
      const x = tensor(
        rows,
        columns,
        around.map((v) => rounded(v + shift, dtype)),
      );
      const gain = randomTensor(1, columns, dtype, random);
      const bias = randomTensor(1, columns, dtype, random);
      const results = await runKernel(
        await testGpu(),
        layerNorm,
        { rows, columns, epsilon },
        dtype,
        { x: encode(x, dtype), gain: encode(gain, dtype), bias: encode(bias, dtype) },
        { y: tensorBytes(rows, columns, dtype) },
      );
      const scales: number[] = [];
      const values = byRow(x, (row) => {
        const center = mean(row);
        const scale = 1 / Math.sqrt(mean(row.map((v) => (v - center) ** 2)) + epsilon);
        scales.push(scale);
        return row.map(
          (v, i) => (v - center) * scale * (gain.values[i] ?? 0) + (bias.values[i] ?? 0),
        );
      });
      // The mean is known to a rounding of its own size, and the scale multiplies that.
      const magnitudes = values.map(
        (v, i) => Math.abs(v) + (shift + 1) * (scales[Math.floor(i / columns)] ?? 0) + 1,
      );
      const expected: Expected = { values, magnitudes, terms: columns };
      expect(
        outOfTolerance(decode(output(results, "y"), rows, columns, dtype).values, expected, dtype),
      ).toEqual([]);
    },
  );

  test("rms_norm takes more rows than one dimension of workgroups holds", async () => {
    const rows = 65_535 * 8 + 9;
    const x = tensor(
      rows,
      1,
      Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 3 : -5)),
    );
    const results = await runKernel(
      await testGpu(),
      rmsNorm,
      { rows, columns: 1, epsilon: 0 },
      "f32",
      { x: encode(x, "f32"), gain: encode(tensor(1, 1, [1]), "f32") },
      { y: tensorBytes(rows, 1, "f32") },
    );
    const { values } = decode(output(results, "y"), rows, 1, "f32");
    const wrong = values.findIndex((v, row) => Math.abs(v - (row % 2 === 0 ? 1 : -1)) > 1e-6);
    expect(wrong).toBe(-1);
  });
});

function byRow(
  { rows, columns, values }: Tensor,
  map: (row: Float64Array) => Float64Array,
): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    result.set(map(values.subarray(row * columns, (row + 1) * columns)), row * columns);
  }
  return result;
}

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
