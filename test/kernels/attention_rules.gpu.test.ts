// What attention may do to scores and what it hides, in every variant, against the definition in f64.

import { describe, expect, test } from "vitest";
import { attention } from "../../src/kernels/attention.ts";
import {
  type AttentionShape,
  attentionBindings,
  valueDimOf,
} from "../../src/kernels/attention_shape.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { runAttention } from "../support/interpret_attention.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { decode, encode, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";
import { variantKernels, variantNames } from "../support/kernel_variants.ts";

const sizes = { batch: 1, sequence: 70, heads: 2, kvHeads: 1, headDim: 12, causal: true } as const;

// Every one is a pipeline of its own, so rules stand together where they can.
const cases: readonly (readonly [string, StorageType, AttentionShape])[] = [
  ["a window", "f32", { ...sizes, window: 9 }],
  ["a window of one", "f16", { ...sizes, sequence: 5, window: 1 }],
  [
    "a window both ways, capped scores",
    "f32",
    { ...sizes, causal: false, window: 40, softcap: 1.5 },
  ],
  ["chunks and sinks", "f16", { ...sizes, batch: 2, sequence: 37, chunk: 8, sinks: true }],
  ["chunks both ways", "f32", { ...sizes, causal: false, chunk: 33 }],
  [
    "slopes of the last heads of six, a scale",
    "f32",
    { ...sizes, heads: 3, kvHeads: 3, scale: 0.9, alibi: { heads: 6, first: 3 } },
  ],
  [
    "values apart, narrower than keys, sinks within a window",
    "f16",
    {
      ...sizes,
      heads: 2,
      kvHeads: 2,
      headDim: 20,
      values: { dim: 8, columns: 44, first: 4, step: 20 },
      sinks: true,
      window: 33,
    },
  ],
  [
    "values apart, wider than keys",
    "f32",
    { ...sizes, kvHeads: 2, headDim: 8, values: { dim: 68, columns: 140, first: 0, step: 72 } },
  ],
];

/** As on GPUs where the variant is for them; on SwiftShader as one with the least limits would. */
async function kernelOf(
  name: string,
  shape: AttentionShape,
  dtype: StorageType,
): Promise<Kernel<AttentionShape> | undefined> {
  const { report } = await testGpu();
  const { features, limits, choice } = report;
  const gpu = { features, limits: choice.id === "swiftshader" ? {} : limits };
  const adapter = name === "attention_shared" ? gpu : report;
  return variantKernels(attention, shape, adapter, dtype).find((one) => one.name === name);
}

async function errorOf(
  kernel: Kernel<AttentionShape>,
  shape: AttentionShape,
  dtype: StorageType,
): Promise<number> {
  const { batch, sequence, heads, kvHeads, headDim, values } = shape;
  const rows = batch * sequence;
  const random = randomSource(sequence + headDim);
  const keys = (heads + kvHeads) * headDim;
  const qkv = randomTensor(
    rows,
    values === undefined ? keys + kvHeads * headDim : keys,
    dtype,
    random,
  );
  // Scores of some units, so that the softmax is far from even.
  for (let i = 0; i < qkv.values.length; i++) {
    if (i % qkv.columns < heads * headDim) qkv.values[i] = 4 * (qkv.values[i] ?? 0);
  }
  const v = randomTensor(rows, values?.columns ?? 1, dtype, random);
  const sinks = Float32Array.from({ length: heads }, (_, head) => 2 - 3 * head);
  const columns = heads * valueDimOf(shape);
  const expected = new Float64Array(rows * columns);
  const given = { qkv: qkv.values, v: v.values, sinks: Float64Array.from(sinks), y: expected };
  runAttention(
    shape,
    attentionBindings(shape).map(({ name }) => given[name as keyof typeof given]),
  );
  const results = await runKernel(
    await testGpu(),
    kernel,
    shape,
    dtype,
    { qkv: encode(qkv, dtype), v: encode(v, dtype), sinks: new Uint8Array(sinks.buffer) },
    { y: tensorBytes(rows, columns, dtype) },
  );
  const actual = decode(output(results, "y"), rows, columns, dtype).values;
  return Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
}

// Weighted means of numbers up to 1: a rounding of the result, and some units in the scores.
const tolerances = { f32: 2e-5, f16: 2 ** -10 } as const;

describeOnAdapter("rules of attention", () => {
  describe.each(variantNames(attention))("as %s", (name) => {
    // Tiles for GPUs take SwiftShader long to compile.
    const own = name === "attention_shared" ? cases.filter(([, dtype]) => dtype === "f16") : cases;
    test.for(own)("%s", async ([_, dtype, shape], { skip }) => {
      const kernel = await kernelOf(name, shape, dtype);
      if (kernel === undefined) return skip("the adapter does not run it");
      expect(await errorOf(kernel, shape, dtype)).toBeLessThan(tolerances[dtype]);
    });
  });
});
