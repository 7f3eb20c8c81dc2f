import { expect, test } from "vitest";
import { addLayerNorm } from "../../src/kernels/add_layer_norm.ts";
import { addRmsNorm } from "../../src/kernels/add_rms_norm.ts";
import { layerNorm } from "../../src/kernels/layer_norm.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { NormShape } from "../../src/kernels/norm.ts";
import { rmsNorm } from "../../src/kernels/rms_norm.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { asOnGpus } from "../support/kernel_variants.ts";
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

const epsilon = 1e-5;
interface Case {
  readonly dtype: StorageType;
  readonly rows: number;
  readonly columns: number;
  readonly tiling: "its own tiling" | "that of GPUs";
}

const cases: Case[] = [
  [1, 1],
  [1, 7],
  [8, 32],
  [9, 33],
  [67, 130],
].flatMap(([rows = 0, columns = 0]): Case[] => [
  { dtype: "f32", rows, columns, tiling: "its own tiling" },
  { dtype: "f16", rows, columns, tiling: "its own tiling" },
  ...(rows > 8 ? [{ dtype: "f32", rows, columns, tiling: "that of GPUs" } as const] : []),
]);

function tiled(kernel: Kernel<NormShape>, { rows, columns, tiling }: Case): Kernel<NormShape> {
  return tiling === "its own tiling" ? kernel : asOnGpus(kernel, { rows, columns, epsilon });
}

async function runNorm(
  kernel: Kernel<NormShape>,
  one: Case,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const { dtype, rows, columns } = one;
  const bytes = tensorBytes(rows, columns, dtype);
  const results = await runKernel(
    await testGpu(),
    tiled(kernel, one),
    { rows, columns, epsilon },
    dtype,
    Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, encode(x, dtype)])),
    { sum: bytes, y: bytes },
  );
  return Object.fromEntries(
    Object.keys(results).map((name) => [name, decode(output(results, name), rows, columns, dtype)]),
  );
}

function expectedRms(x: Tensor, gain: Tensor): Expected {
  const values = byRow(x, (row) => {
    const scale = 1 / Math.sqrt(mean(row.map((v) => v * v)) + epsilon);
    return row.map((v, i) => v * scale * (gain.values[i] ?? 0));
  });
  return { values, magnitudes: values.map(Math.abs), terms: x.columns };
}

/** @param shift a bound of the means of the rows */
function expectedLayer(x: Tensor, gain: Tensor, bias: Tensor, shift: number): Expected {
  const scales: number[] = [];
  const values = byRow(x, (row) => {
    const center = mean(row);
    const scale = 1 / Math.sqrt(mean(row.map((v) => (v - center) ** 2)) + epsilon);
    scales.push(scale);
    return row.map((v, i) => (v - center) * scale * (gain.values[i] ?? 0) + (bias.values[i] ?? 0));
  });
  // The mean is known to a rounding of its own size, and the scale multiplies that.
  const magnitudes = values.map(
    (v, i) => Math.abs(v) + (shift + 1) * (scales[Math.floor(i / x.columns)] ?? 0) + 1,
  );
  return { values, magnitudes, terms: x.columns };
}

function sumOf(a: Tensor, b: Tensor): Tensor {
  return tensor(
    a.rows,
    a.columns,
    a.values.map((v, i) => v + (b.values[i] ?? 0)),
  );
}

function shifted({ rows, columns, values }: Tensor, shift: number, dtype: StorageType): Tensor {
  return tensor(
    rows,
    columns,
    values.map((v) => rounded(v + shift, dtype)),
  );
}

/** Halves hold sums of these exactly, up to 128: a driver may round a sum that it also stores, or not. */
function coarse({ rows, columns, values }: Tensor): Tensor {
  return tensor(
    rows,
    columns,
    values.map((v) => Math.round(16 * v) / 16),
  );
}

function wrong(actual: Tensor | undefined, expected: Expected, dtype: StorageType): string[] {
  return outOfTolerance(actual?.values ?? new Float64Array(), expected, dtype);
}

describeOnAdapter("norms", () => {
  test.each(cases)("rms_norm, $dtype [$rows, $columns], $tiling", async (one) => {
    const { dtype, rows, columns } = one;
    const random = randomSource(columns);
    const x = randomTensor(rows, columns, dtype, random);
    const gain = randomTensor(1, columns, dtype, random);
    const { y } = await runNorm(rmsNorm, one, { x, gain });
    expect(wrong(y, expectedRms(x, gain), dtype)).toEqual([]);
  });

  test.each(cases)("add_rms_norm, $dtype [$rows, $columns], $tiling", async (one) => {
    const { dtype, rows, columns } = one;
    const random = randomSource(columns);
    const a = coarse(randomTensor(rows, columns, dtype, random));
    const b = coarse(randomTensor(rows, columns, dtype, random));
    const gain = randomTensor(1, columns, dtype, random);
    const { sum, y } = await runNorm(addRmsNorm, one, { a, b, gain });
    expect(sum?.values).toEqual(sumOf(a, b).values);
    expect(wrong(y, expectedRms(sumOf(a, b), gain), dtype)).toEqual([]);
  });

  const around = cases.flatMap((one) => [0, 100].map((shift) => ({ ...one, shift })));

  test.each(around)(
    "layer_norm, $dtype [$rows, $columns] around $shift, $tiling",
    async ({ shift, ...one }) => {
      const { dtype, rows, columns } = one;
      const random = randomSource(columns);
      const x = shifted(randomTensor(rows, columns, dtype, random), shift, dtype);
      const gain = randomTensor(1, columns, dtype, random);
      const bias = randomTensor(1, columns, dtype, random);
      const { y } = await runNorm(layerNorm, one, { x, gain, bias });
      expect(wrong(y, expectedLayer(x, gain, bias, shift), dtype)).toEqual([]);
    },
  );

  test.each(around)(
    "add_layer_norm, $dtype [$rows, $columns] around $shift, $tiling",
    async ({ shift, ...one }) => {
      const { dtype, rows, columns } = one;
      const random = randomSource(columns);
      const a = shifted(coarse(randomTensor(rows, columns, dtype, random)), shift, dtype);
      const b = coarse(randomTensor(rows, columns, dtype, random));
      const gain = randomTensor(1, columns, dtype, random);
      const bias = randomTensor(1, columns, dtype, random);
      const { sum, y } = await runNorm(addLayerNorm, one, { a, b, gain, bias });
      expect(sum?.values).toEqual(sumOf(a, b).values);
      expect(wrong(y, expectedLayer(sumOf(a, b), gain, bias, shift), dtype)).toEqual([]);
    },
  );

  test("layer_norm keeps its digits where the first columns are far from all others", async () => {
    const columns = 1000;
    const values = Float64Array.from({ length: columns }, (_, i) =>
      i < 32 ? 1000 : Math.fround(Math.sin(i)),
    );
    const x = tensor(1, columns, values);
    const gain = tensor(
      1,
      columns,
      values.map(() => 1),
    );
    const bias = tensor(
      1,
      columns,
      values.map(() => 0),
    );
    const one: Case = { dtype: "f32", rows: 1, columns, tiling: "its own tiling" };
    const { y } = await runNorm(layerNorm, one, { x, gain, bias });
    const expected = expectedLayer(x, gain, bias, 0);
    const error = Math.max(
      ...expected.values.map((v, i) => Math.abs(v - (y?.values[i] ?? Number.NaN))),
    );
    expect(error).toBeLessThan(1e-5);
  });

  test("rms_norm takes more rows than one dimension of workgroups holds", async () => {
    const rows = 65_535 * 4 + 9;
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
    const first = values.findIndex((v, row) => Math.abs(v - (row % 2 === 0 ? 1 : -1)) > 1e-6);
    expect(first).toBe(-1);
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

function mean(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
