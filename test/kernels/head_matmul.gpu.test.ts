// A product of each head by itself, against the same in f64.

import { expect, test } from "vitest";
import { headMatmul, type HeadMatmulShape } from "../../src/kernels/head_matmul.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { runHeadMatmul } from "../support/interpret_attention.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { decode, encode, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";
import { type Expected, outOfTolerance } from "../support/tolerance.ts";

const shapes: readonly HeadMatmulShape[] = [
  { rows: 1, heads: 1, k: 4, n: 4, kept: 0, w: { columns: 4, first: 0, step: 4 } },
  { rows: 5, heads: 3, k: 12, n: 20, kept: 0, w: { columns: 96, first: 8, step: 28 } },
  {
    rows: 3,
    heads: 2,
    k: 8,
    n: 36,
    kept: 8,
    w: { columns: 40, first: 0, step: 20 },
    transposed: "w",
  },
  {
    rows: 4,
    heads: 5,
    k: 68,
    n: 4,
    kept: 4,
    w: { columns: 400, first: 4, step: 80 },
    transposed: "w",
  },
  { rows: 8, heads: 2, k: 128, n: 64, kept: 0, w: { columns: 256, first: 64, step: 128 } },
];

function expectedOf(shape: HeadMatmulShape, x: Float64Array, w: Float64Array): Expected {
  const size = shape.rows * shape.heads * (shape.n + shape.kept);
  const [values, magnitudes] = [new Float64Array(size), new Float64Array(size)];
  runHeadMatmul(shape, x, w, values);
  runHeadMatmul(shape, x.map(Math.abs), w.map(Math.abs), magnitudes);
  return { values, magnitudes, terms: shape.k };
}

describeOnAdapter("head_matmul", () => {
  test.each(
    (["f32", "f16"] as const).flatMap((dtype) => shapes.map((shape) => ({ dtype, ...shape }))),
  )("$dtype, $rows rows of $heads heads, $k to $n and $kept kept", async ({ dtype, ...shape }) => {
    const { rows, heads, k, n, kept, transposed } = shape;
    const random = randomSource(k + n);
    const x = randomTensor(rows, heads * (k + kept), dtype, random);
    const w = randomTensor(transposed === "w" ? n : k, shape.w.columns, dtype, random);
    const columns = heads * (n + kept);
    const results = await runKernel(
      await testGpu(),
      headMatmul,
      shape,
      dtype,
      { x: encode(x, dtype), w: encode(w, dtype) },
      { y: tensorBytes(rows, columns, dtype) },
    );
    const { values } = decode(output(results, "y"), rows, columns, dtype);
    expect(outOfTolerance(values, expectedOf(shape, x.values, w.values), dtype)).toEqual([]);
  });
});
