import { describe, expect, test } from "vitest";
import { causalConv, type CausalConvShape } from "../../src/kernels/causal_conv.ts";
import { gatedDelta, type GatedDeltaShape } from "../../src/kernels/gated_delta.ts";
import { rowPitch, type StorageType } from "../../src/kernels/storage.ts";
import { asOnGpus } from "../support/kernel_variants.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { runCausalConv, runGatedDelta } from "../support/interpret_delta.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  randomSource,
  randomTensor,
  type Tensor,
  tensorBytes,
} from "../support/tensors.ts";

/** As it lies in memory: rows of whole quads. */
function padded({ rows, columns, values }: Tensor): Float64Array {
  const pitch = rowPitch(columns);
  const out = new Float64Array(rows * pitch);
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * columns, (row + 1) * columns), row * pitch);
  }
  return out;
}

/** Of the kernel's result, from f64 on the same operands. */
function worst(
  results: Parameters<typeof output>[0],
  expected: Float64Array,
  rows: number,
  columns: number,
  dtype: StorageType,
): number {
  const { values } = decode(output(results, "y"), rows, columns, dtype);
  const pitch = rowPitch(columns);
  return Math.max(
    ...values.map((value, i) => {
      const place = Math.floor(i / columns) * pitch + (i % columns);
      return Math.abs(value - (expected[place] ?? Number.NaN));
    }),
  );
}

const convolutions: readonly (readonly [string, CausalConvShape])[] = [
  ["one number", { rows: 1, columns: 1, taps: 1, sequence: 1 }],
  ["odd sizes", { rows: 14, columns: 5, taps: 4, sequence: 7 }],
  ["more taps than tokens", { rows: 6, columns: 9, taps: 4, sequence: 2 }],
  ["whole quads and workgroups", { rows: 64, columns: 64, taps: 4, sequence: 32 }],
];

// Sums of up to 16 products of numbers up to 2, and results that large.
const conv = { f32: 2 ** -18, f16: 2 ** -7 } as const;

describeOnAdapter("causal_conv", () => {
  describe.each(["f32", "f16"] as const)("in %s", (dtype) => {
    test.each(convolutions)("%s", async (_, shape) => {
      const { rows, columns, taps } = shape;
      const random = randomSource(rows + columns);
      const [x, w] = [
        randomTensor(rows, columns, dtype, random),
        randomTensor(taps, columns, dtype, random),
      ];
      const expected = new Float64Array(rows * rowPitch(columns));
      runCausalConv(shape, padded(x), padded(w), expected);
      for (const kernel of [causalConv, asOnGpus(causalConv, shape)]) {
        const results = await runKernel(
          await testGpu(),
          kernel,
          shape,
          dtype,
          { x: encode(x, dtype), w: encode(w, dtype) },
          { y: tensorBytes(rows, columns, dtype) },
        );
        expect(worst(results, expected, rows, columns, dtype)).toBeLessThan(conv[dtype]);
      }
    });
  });
});

const rules: readonly (readonly [string, GatedDeltaShape])[] = [
  [
    "one token of the smallest head",
    { batch: 1, sequence: 1, keyHeads: 1, valueHeads: 1, keyDim: 4, valueDim: 4 },
  ],
  [
    "odd numbers of heads and tokens",
    { batch: 2, sequence: 7, keyHeads: 1, valueHeads: 3, keyDim: 12, valueDim: 20 },
  ],
  [
    "two value heads to each key head",
    { batch: 1, sequence: 33, keyHeads: 3, valueHeads: 6, keyDim: 8, valueDim: 4 },
  ],
  [
    "heads as wide as those of Qwen3-Next",
    { batch: 1, sequence: 20, keyHeads: 1, valueHeads: 2, keyDim: 128, valueDim: 128 },
  ],
  [
    "the widest key, a workgroup of one",
    { batch: 1, sequence: 3, keyHeads: 1, valueHeads: 1, keyDim: 1024, valueDim: 8 },
  ],
];

// Results are shares of values up to 2, of states whose errors decay.
const rule = { f32: 2 ** -20, f16: 2 ** -9 } as const;

describeOnAdapter("gated_delta", () => {
  describe.each(["f32", "f16"] as const)("in %s", (dtype) => {
    test.each(rules)("%s", async (_, shape) => {
      const { batch, sequence, keyHeads, valueHeads, keyDim, valueDim } = shape;
      const rows = batch * sequence;
      const random = randomSource(rows + keyDim);
      const columns = 2 * keyHeads * keyDim + valueHeads * valueDim;
      const x = randomTensor(rows, columns, dtype, random);
      const update = randomTensor(rows, valueHeads, dtype, random);
      const step = randomTensor(rows, valueHeads, dtype, random);
      const rates = Float32Array.from({ length: valueHeads }, (_head, i) => -1 - i / 4);
      const expected = new Float64Array(rows * valueHeads * valueDim);
      runGatedDelta(
        shape,
        padded(x),
        padded(update),
        padded(step),
        Float64Array.from(rates),
        expected,
      );
      const results = await runKernel(
        await testGpu(),
        gatedDelta,
        shape,
        dtype,
        {
          x: encode(x, dtype),
          update: encode(update, dtype),
          step: encode(step, dtype),
          rates: new Uint8Array(rates.buffer),
        },
        { y: tensorBytes(rows, valueHeads * valueDim, dtype) },
      );
      const error = worst(results, expected, rows, valueHeads * valueDim, dtype);
      expect(error).toBeLessThan(rule[dtype]);
    });
  });
});
