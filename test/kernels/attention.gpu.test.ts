import { describe, expect, test } from "vitest";
import { attention } from "../../src/kernels/attention.ts";
import type { AttentionShape } from "../../src/kernels/attention_shape.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { variantKernels, variantNames } from "../support/kernel_variants.ts";
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

function shape(
  batch: number,
  sequence: number,
  heads: number,
  kvHeads: number,
  headDim: number,
): Omit<AttentionShape, "causal"> {
  return { batch, sequence, heads, kvHeads, headDim };
}

// Every one is a pipeline of its own, and those take long to compile: so dtypes and masks take turns.
const cases = [
  { dtype: "f32", causal: true, ...shape(1, 1, 1, 1, 4), what: "one token, smallest head" },
  { dtype: "f32", causal: false, ...shape(2, 32, 3, 3, 12), what: "one block, odd quads" },
  {
    dtype: "f16",
    causal: true,
    ...shape(2, 65, 4, 2, 52),
    what: "two blocks and one, grouped heads",
  },
  { dtype: "f32", causal: true, ...shape(1, 130, 2, 1, 80), what: "several blocks and a rest" },
  { dtype: "f16", causal: false, ...shape(1, 66, 2, 1, 256), what: "the widest head" },
] as const;
// Where other tiles are taken.
const subgroupCases = [
  { dtype: "f32", causal: false, ...shape(3, 5, 2, 1, 64), what: "a few tokens" },
  { dtype: "f32", causal: true, ...shape(1, 40, 1, 1, 128), what: "a wide head" },
] as const;

/**
 * All of that name as the adapter would take them; of the one for GPUs, as a GPU would. A large tile of it takes
 * SwiftShader 10 s to compile: there, as a GPU with the least limits would.
 */
async function variantsNamed(
  name: string,
  one: AttentionShape,
  dtype: StorageType,
): Promise<Kernel<AttentionShape>[]> {
  const { report } = await testGpu();
  const { features, limits, choice } = report;
  const gpu = { features, limits: choice.id === "swiftshader" ? {} : limits };
  const adapter = name === "attention_shared" ? gpu : report;
  return variantKernels(attention, one, adapter, dtype).filter((variant) => variant.name === name);
}

describeOnAdapter("attention", () => {
  describe.each(variantNames(attention))("as %s", (name) => {
    const shared = cases.filter(({ dtype }) => dtype === "f16");
    const own = name === "attention_subgroup" ? [...cases, ...subgroupCases] : cases;
    test.for(name === "attention_shared" ? shared : own)(
      "$dtype, batch $batch, sequence $sequence, heads $heads/$kvHeads × $headDim, causal $causal: $what",
      async ({ what: _what, dtype, ...one }, { skip }) => {
        const [variant] = await variantsNamed(name, one, dtype);
        if (variant === undefined) return skip("the adapter does not run it");
        // Scores of up to ±20, so that the softmax is far from even.
        expect(await errorsOf(variant, one, dtype, 4)).toEqual([]);
      },
    );

    test("f32, scores in the hundreds neither overflow nor vanish", async ({ skip }) => {
      const { dtype, what: _what, ...one } = cases[1];
      const variants = await variantsNamed(name, one, dtype);
      if (variants.length === 0) return skip("the adapter does not run it");
      // The tiles of the variant for GPUs differ in more than numbers.
      const tried = name === "attention_shared" ? variants : variants.slice(0, 1);
      for (const variant of tried) expect(await errorsOf(variant, one, dtype, 256)).toEqual([]);
    });
  });

  test("every tiling for small subgroups gives the same, large ones included", async ({ skip }) => {
    // Large enough for tiles that are worth it only there.
    const one = { ...shape(1, 500, 9, 3, 16), causal: true };
    const variants = await variantsNamed("attention_subgroup", one, "f32");
    if (variants.length === 0) return skip("the adapter does not run it");
    for (const variant of variants) expect(await errorsOf(variant, one, "f32", 4)).toEqual([]);
  });

  test("8192 tokens, of which some are checked", async () => {
    const one = { ...shape(1, 8192, 1, 1, 8), causal: true };
    const tokens = [0, 1, 4095, 4096, 8190, 8191];
    expect(await errorsOf(attention, one, "f32", 4, tokens)).toEqual([]);
  });
});

/**
 * A line for each element that is too far off, for random tokens with queries that many times as large.
 *
 * @param tokens to look at, of a batch of one; default: all
 */
async function errorsOf(
  variant: Kernel<AttentionShape>,
  one: AttentionShape,
  dtype: StorageType,
  sharpness: number,
  tokens?: readonly number[],
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
    variant,
    one,
    dtype,
    { qkv: encode(qkv, dtype) },
    { y: tensorBytes(rows, heads * headDim, dtype) },
  );
  const { values } = decode(output(results, "y"), rows, heads * headDim, dtype);
  const checked = tokens ?? Array.from({ length: rows }, (_, row) => row);
  const actual = checked.flatMap((row) => [
    ...values.subarray(row * heads * headDim, (row + 1) * heads * headDim),
  ]);
  return outOfTolerance(Float64Array.from(actual), expectedRows(qkv, one, checked), dtype);
}

function expectedRows(qkv: Tensor, one: AttentionShape, rows: readonly number[]): Expected {
  const { sequence, heads, kvHeads, headDim, causal } = one;
  const queryHeads = rows.flatMap((row) =>
    Array.from({ length: heads }, (_, head): QueryHead => {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const first = row - (row % sequence);
      return {
        query: { tensor: qkv, row, column: head * headDim },
        keys: { tensor: qkv, row: first, column: (heads + kvHead) * headDim },
        values: { tensor: qkv, row: first, column: (heads + kvHeads + kvHead) * headDim },
        count: causal ? row - first + 1 : sequence,
      };
    }),
  );
  return attentionOf(queryHeads, headDim);
}
