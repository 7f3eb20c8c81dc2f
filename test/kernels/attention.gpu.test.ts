import { describe, expect, test } from "vitest";
import { attention, type AttentionShape } from "../../src/kernels/attention.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { formKernels, formNames } from "../support/forms.ts";
import { attentionOf, type QueryHead } from "../support/attention.ts";
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

const shape = (
  batch: number,
  sequence: number,
  heads: number,
  kvHeads: number,
  headDim: number,
): Omit<AttentionShape, "causal"> => ({ batch, sequence, heads, kvHeads, headDim });

const shapes = [
  { what: "one token, smallest head", ...shape(1, 1, 1, 1, 4) },
  { what: "one exact block", ...shape(1, 32, 1, 1, 32) },
  { what: "one more than a block", ...shape(1, 33, 1, 1, 64) },
  { what: "one less than two blocks, grouped heads", ...shape(2, 63, 4, 2, 16) },
  { what: "an odd number of quads per head", ...shape(2, 35, 3, 3, 12) },
  { what: "a few tokens", ...shape(3, 5, 2, 1, 64) },
  { what: "several blocks and a rest", ...shape(1, 130, 2, 1, 80) },
  { what: "a wide head", ...shape(1, 40, 1, 1, 128) },
  { what: "the widest head", ...shape(1, 34, 2, 1, 256) },
];

// Pipelines take long to compile, so the masks take turns, and f16 takes every third shape.
const cases = shapes.flatMap((one, index) => {
  const causal = index % 2 === 0;
  const f32 = Object.assign({ dtype: "f32" as const, causal }, one);
  const f16 = Object.assign({ dtype: "f16" as const, causal: !causal }, one);
  return index % 3 === 0 ? [f32, f16] : [f32];
});

describeOnAdapter("attention", () => {
  describe.each(formNames(attention))("as %s", (name) => {
    /** As `name` computes it, in the tiling that comes first. */
    const formAt = async (
      one: AttentionShape,
      dtype: StorageType,
    ): Promise<Kernel<AttentionShape> | undefined> =>
      formKernels(attention, one, (await testGpu()).report, dtype).find(
        (form) => form.name === name,
      );

    test.for(cases)(
      "$dtype, batch $batch, sequence $sequence, heads $heads/$kvHeads × $headDim, causal $causal: $what",
      async ({ what: _what, dtype, ...one }, { skip }) => {
        const form = await formAt(one, dtype);
        if (form === undefined) return skip("the adapter does not run it");
        // Scores of up to ±20, so that the softmax is far from even.
        expect(await errorsOf(form, one, dtype, 4)).toEqual([]);
      },
    );

    test("f32, scores in the hundreds neither overflow nor vanish", async ({ skip }) => {
      const one = { ...shape(1, 40, 1, 1, 8), causal: true };
      const form = await formAt(one, "f32");
      if (form === undefined) return skip("the adapter does not run it");
      expect(await errorsOf(form, one, "f32", 256)).toEqual([]);
    });
  });

  test("every tiling of every form gives the same, large ones included", async () => {
    // Large enough for tiles that are worth it only there.
    const one = { ...shape(1, 500, 9, 3, 16), causal: true };
    for (const form of formKernels(attention, one, (await testGpu()).report, "f32"))
      expect(await errorsOf(form, one, "f32", 4)).toEqual([]);
  });
});

/** A line for each element that is too far off, for random tokens with queries that many times as large. */
async function errorsOf(
  form: Kernel<AttentionShape>,
  one: AttentionShape,
  dtype: StorageType,
  sharpness: number,
): Promise<string[]> {
  const { batch, sequence, heads, kvHeads, headDim } = one;
  const rows = batch * sequence;
  const columns = (heads + 2 * kvHeads) * headDim;
  const random = randomTensor(rows, columns, dtype, randomSource(sequence));
  const qkv = tensor(
    rows,
    columns,
    random.values.map((v, i) => (i % columns < heads * headDim ? sharpness * v : v)),
  );
  const results = await runKernel(
    await testGpu(),
    form,
    one,
    dtype,
    { qkv: encode(qkv, dtype) },
    { y: tensorBytes(rows, heads * headDim, dtype) },
  );
  const actual = decode(output(results, "y"), rows, heads * headDim, dtype).values;
  return outOfTolerance(actual, expectedAttention(qkv, one), dtype);
}

function expectedAttention(qkv: Tensor, one: AttentionShape): Expected {
  const { batch, sequence, heads, kvHeads, headDim, causal } = one;
  const queryHeads = Array.from({ length: batch * sequence * heads }, (_, index): QueryHead => {
    const head = index % heads;
    const row = Math.floor(index / heads);
    const kvHead = Math.floor(head / (heads / kvHeads));
    const first = row - (row % sequence);
    return {
      query: { tensor: qkv, row, column: head * headDim },
      keys: { tensor: qkv, row: first, column: (heads + kvHead) * headDim },
      values: { tensor: qkv, row: first, column: (heads + kvHeads + kvHead) * headDim },
      count: causal ? row - first + 1 : sequence,
    };
  });
  return attentionOf(queryHeads, headDim);
}
