import { describe, expect, test } from "vitest";
import type { Activation } from "../../src/kernels/activation.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { formKernels, formNames } from "../support/forms.ts";
import { activated, product } from "../support/matrix_product.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  randomSource,
  randomTensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const sizes: [m: number, n: number, k: number, what: string][] = [
  [1, 1, 1, "size 1"],
  [1, 4, 4, "one quad"],
  [1, 1030, 65, "one row, odd columns over a workgroup"],
  [3, 5, 7, "odd and smaller than a tile"],
  [4, 8, 12, "four rows"],
  [5, 9, 2, "k smaller than a quad"],
  [8, 8, 8, "one exact tile"],
  [9, 260, 33, "one more than a tile each way"],
  [70, 3, 130, "narrow and tall"],
  [64, 512, 64, "one exact workgroup"],
  [33, 516, 100, "one quad over a workgroup"],
  [270, 90, 701, "large, for tiles that are worth it only there"],
  [37, 517, 902, "large and wide"],
];

describeOnAdapter("matmul", () => {
  describe.each(formNames(matmul))("as %s", (name) => {
    // Pipelines take long to compile, so f16 takes every other size.
    const f16Sizes = sizes.filter((_, index) => index % 2 === 1);
    test.for([
      ...sizes.map((size) => ["f32" as const, ...size] as const),
      ...f16Sizes.map((size) => ["f16" as const, ...size] as const),
    ])("%s [%i, %i] over k = %i: %s", async ([dtype, m, n, k], { skip }) => {
      const gpu = await testGpu();
      const shape = { m, n, k, activation: "none" } as const;
      const forms = formKernels(matmul, shape, gpu.report, dtype).filter(
        (form) => form.name === name,
      );
      if (forms.length === 0) return skip("the adapter does not run it");
      const random = randomSource(m + n + k);
      const x = randomTensor(m, k, dtype, random);
      const w = randomTensor(k, n, dtype, random);
      for (const form of forms) {
        const results = await runKernel(
          gpu,
          form,
          shape,
          dtype,
          { x: encode(x, dtype), w: encode(w, dtype) },
          { y: tensorBytes(m, n, dtype) },
        );
        const actual = decode(output(results, "y"), m, n, dtype).values;
        expect(outOfTolerance(actual, product(x, w), dtype)).toEqual([]);
      }
    });

    test.for(["none", "gelu", "silu", "relu"] satisfies Activation[])(
      "applies %s, at arguments up to ±200 and with zeros in the padding",
      async (activation, { skip }) => {
        const gpu = await testGpu();
        const [m, n, k] = [9, 7, 3];
        const shape = { m, n, k, activation };
        const form = formKernels(matmul, shape, gpu.report, "f32").find((one) => one.name === name);
        if (form === undefined) return skip("the adapter does not run it");
        const random = randomSource(1);
        const x = randomTensor(m, k, "f32", random);
        // Columns of very different size: f32 exponentials of the largest overflow.
        const w = tensor(
          k,
          n,
          randomTensor(k, n, "f32", random).values.map((v, i) =>
            Math.fround(v * 4 ** ((i % n) - 2)),
          ),
        );
        const results = await runKernel(
          gpu,
          form,
          shape,
          "f32",
          { x: encode(x, "f32"), w: encode(w, "f32") },
          { y: tensorBytes(m, n, "f32") },
        );
        const actual = decode(output(results, "y"), m, n, "f32").values;
        expect(outOfTolerance(actual, activated(product(x, w), activation), "f32")).toEqual([]);
        expect(Math.max(...actual)).toBeGreaterThan(100);
      },
    );
  });
});
