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

async function runNorm<Shape extends NormShape>(
  kernel: Kernel<Shape>,
  one: Case,
  inputs: Readonly<Record<string, Tensor>>,
  more: Omit<Shape, keyof NormShape>,
): Promise<Record<string, Tensor>> {
  const { dtype, rows, columns, tiling } = one;
  const bytes = tensorBytes(rows, columns, dtype);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a shape has besides is given
  const shape = { rows, columns, epsilon, ...more } as unknown as Shape;
  const results = await runKernel(
    await testGpu(),
    tiling === "its own tiling" ? kernel : asOnGpus(kernel, shape),
    shape,
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

function sumOf(a: Tensor, b: Tensor, scale = 1): Tensor {
  return tensor(
    a.rows,
    a.columns,
    a.values.map((v, i) => scale * v + (b.values[i] ?? 0)),
  );
}

function zeros(columns: number): Tensor {
  return tensor(1, columns, new Float64Array(columns));
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
    const { y } = await runNorm(rmsNorm, one, { x, gain }, {});
    expect(wrong(y, expectedRms(x, gain), dtype)).toEqual([]);
  });

  test.each(cases)("add_rms_norm, $dtype [$rows, $columns], $tiling", async (one) => {
    const { dtype, rows, columns } = one;
    const random = randomSource(columns);
    const a = coarse(randomTensor(rows, columns, dtype, random));
    const b = coarse(randomTensor(rows, columns, dtype, random));
    const gain = randomTensor(1, columns, dtype, random);
    for (const scale of [1, 0.5]) {
      const { sum, y } = await runNorm(addRmsNorm, one, { a, b, gain }, { scale });
      expect(sum?.values).toEqual(sumOf(a, b, scale).values);
      expect(wrong(y, expectedRms(sumOf(a, b, scale), gain), dtype)).toEqual([]);
    }
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
      const { y } = await runNorm(layerNorm, one, { x, gain, bias }, { bias: true });
      expect(wrong(y, expectedLayer(x, gain, bias, shift), dtype)).toEqual([]);
      const { y: plain } = await runNorm(layerNorm, one, { x, gain }, {});
      expect(wrong(plain, expectedLayer(x, gain, zeros(columns), shift), dtype)).toEqual([]);
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
      const { y: plain } = await runNorm(addLayerNorm, one, { a, b, gain }, { scale: 0.5 });
      const halved = expectedLayer(sumOf(a, b, 0.5), gain, zeros(columns), shift);
      expect(wrong(plain, halved, dtype)).toEqual([]);
      const { sum, y } = await runNorm(addLayerNorm, one, { a, b, gain, bias }, { bias: true });
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
    const { y } = await runNorm(layerNorm, one, { x, gain, bias }, { bias: true });
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
