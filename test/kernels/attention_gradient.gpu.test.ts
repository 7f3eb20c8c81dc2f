// The backward pass of attention, against its f64 rule and against the check of a run.

import { expect, test } from "vitest";
import { attention } from "../../src/kernels/attention.ts";
import { type AttentionShape, valueDimOf } from "../../src/kernels/attention_shape.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { attendGradients } from "../../src/reference/backward/attention.ts";
import { matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { near } from "../support/near.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { decode, encode, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const plain = { batch: 1, sequence: 7, heads: 2, kvHeads: 2, headDim: 4, causal: true } as const;

const shapes: readonly (readonly [string, AttentionShape])[] = [
  ["one token", { ...plain, sequence: 1, heads: 1, kvHeads: 1 }],
  ["odd, causal", plain],
  ["all tokens", { ...plain, causal: false, sequence: 33 }],
  ["shared keys, over two blocks", { ...plain, batch: 2, sequence: 65, heads: 6, headDim: 12 }],
  ["exact blocks", { ...plain, sequence: 64, headDim: 64 }],
  ["wide heads", { ...plain, sequence: 40, headDim: 256 }],
  ["a scale and a soft cap", { ...plain, sequence: 40, scale: 0.8, softcap: 2 }],
  ["a window", { ...plain, sequence: 100, window: 9 }],
  ["a window both ways", { ...plain, sequence: 100, window: 35, causal: false }],
  ["chunks", { ...plain, sequence: 100, chunk: 36 }],
  ["slopes and sinks", { ...plain, sequence: 37, alibi: { heads: 6, first: 1 }, sinks: true }],
  [
    "values apart",
    { ...plain, sequence: 37, heads: 4, values: { dim: 8, columns: 36, first: 4, step: 12 } },
  ],
];

const cases = [
  ...shapes.map(([what, shape]) => ({ what, shape, dtype: "f32" as const })),
  ...shapes.slice(3, 5).map(([what, shape]) => ({ what, shape, dtype: "f16" as const })),
];

function columnsOf(m: Matrix, first: number, count: number): Matrix {
  const part = matrix(m.rows, count);
  for (let row = 0; row < m.rows; row++) {
    rowOf(part, row).set(rowOf(m, row).subarray(first, first + count));
  }
  return part;
}

function asMatrix(rows: number, values: Float64Array): Matrix {
  return matrix(rows, values.length / rows, values);
}

/** Heads of values side by side. */
function valuesOf({ kvHeads, headDim, heads, values }: AttentionShape, qkv: Matrix, v: Matrix) {
  if (values === undefined) return columnsOf(qkv, (heads + kvHeads) * headDim, kvHeads * headDim);
  const own = matrix(qkv.rows, kvHeads * values.dim);
  for (let row = 0; row < qkv.rows; row++) {
    for (let head = 0; head < kvHeads; head++) {
      const first = values.first + head * values.step;
      rowOf(own, row).set(rowOf(v, row).subarray(first, first + values.dim), head * values.dim);
    }
  }
  return own;
}

async function backward(shape: AttentionShape, dtype: StorageType) {
  const { batch, sequence, heads, kvHeads, headDim, values } = shape;
  const rows = batch * sequence;
  const valueDim = valueDimOf(shape);
  const columns = (heads + kvHeads) * headDim + (values === undefined ? kvHeads * headDim : 0);
  const random = randomSource(sequence + headDim);
  const qkv = randomTensor(rows, columns, dtype, random);
  const v = randomTensor(rows, values?.columns ?? 4, dtype, random);
  const dy = randomTensor(rows, heads * valueDim, dtype, random);
  const sinks = randomTensor(1, heads, "f32", random);
  const tables = {
    qkv: encode(qkv, dtype),
    ...(values === undefined ? {} : { v: encode(v, dtype) }),
    ...(shape.sinks === true ? { sinks: encode(sinks, "f32") } : {}),
    dy: encode(dy, dtype),
  };
  const forward = await runKernel(await testGpu(), attention, shape, dtype, tables, {
    y: tensorBytes(rows, heads * valueDim, dtype),
  });
  const statistics = await checkedRun(
    { kernel: "attention_statistics", shape },
    dtype,
    { ...tables, y: new Uint8Array(output(forward, "y")) },
    { statistics: 8 * rows * heads },
  );
  const gradient = await checkedRun(
    { kernel: "attention_gradient", shape },
    dtype,
    { ...tables, statistics: new Uint8Array(output(statistics.results, "statistics")) },
    {
      dqkv: tensorBytes(rows, columns, dtype),
      ...(values === undefined ? {} : { dv: tensorBytes(rows, kvHeads * valueDim, dtype) }),
    },
  );
  const whole = asMatrix(rows, qkv.values);
  const expected = attendGradients(
    { ...shape, valueDim },
    columnsOf(whole, 0, heads * headDim),
    columnsOf(whole, heads * headDim, kvHeads * headDim),
    valuesOf(shape, whole, asMatrix(rows, v.values)),
    asMatrix(rows, dy.values),
    shape.sinks === true ? sinks.values : undefined,
  );
  const dqkv = decode(output(gradient.results, "dqkv"), rows, columns, dtype).values;
  const apart =
    values && decode(output(gradient.results, "dv"), rows, kvHeads * valueDim, dtype).values;
  return { statistics, gradient, expected, dqkv: asMatrix(rows, dqkv), apart };
}

describeOnAdapter("the backward pass of attention", () => {
  test.each(cases)("$what in $dtype", async ({ shape, dtype }) => {
    const { heads, kvHeads, headDim, sequence } = shape;
    const { statistics, gradient, expected, dqkv, apart } = await backward(shape, dtype);
    const keys = (heads + kvHeads) * headDim;
    const parts = [
      [expected.dq, columnsOf(dqkv, 0, heads * headDim).data],
      [expected.dk, columnsOf(dqkv, heads * headDim, kvHeads * headDim).data],
      [expected.dv, apart ?? columnsOf(dqkv, keys, kvHeads * headDim).data],
    ] as const;
    for (const [rule, actual] of parts) {
      // The result that the statistics multiply is as it is stored.
      const size = dtype === "f16" ? 2 ** 9 : 4;
      const lost = near(rule.data, sequence, size);
      expect(outOfTolerance(actual, lost, dtype)).toEqual([]);
    }
    expect(statistics.worst).toBeLessThan(1);
    expect(gradient.worst).toBeLessThan(1);
    expect(await statistics.spoilt("statistics", 0)).toBeGreaterThan(1);
    expect(await statistics.spoilt("statistics", 1)).toBeGreaterThan(1);
    expect(await gradient.spoilt("dqkv", 0)).toBeGreaterThan(1);
    expect(
      await gradient.spoilt("dqkv", (heads * headDim) / (dtype === "f16" ? 2 : 1)),
    ).toBeGreaterThan(1);
  });

  test("equal runs give equal bits", async () => {
    const shape = { ...plain, sequence: 65, heads: 6, headDim: 12 };
    const [a, b] = [await backward(shape, "f32"), await backward(shape, "f32")];
    expect(a.dqkv.data).toEqual(b.dqkv.data);
  });
});
