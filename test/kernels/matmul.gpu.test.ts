import { describe, expect, test } from "vitest";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import type { Activation } from "../../src/kernels/activation.ts";
import { activations } from "../../src/plan/activation.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { matmul, type MatmulShape } from "../../src/kernels/matmul.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { describeOnAdapter, describeOnOneAdapter, testGpu } from "../support/gpu.ts";
import { variantKernels, variantNames } from "../support/kernel_variants.ts";
import { activated, product, testCap } from "../support/matrix_product.ts";
import { productCase, resultOf, resultType } from "../support/product_case.ts";
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

/** It takes seconds to compile where no GPU runs it. */
const forGpus = "matmul_shared";

type Size = readonly [m: number, n: number, k: number, what: string];

const sizes: readonly Size[] = [
  [1, 1, 1, "size 1"],
  [1, 1030, 65, "one row, odd columns over a workgroup"],
  [3, 5, 7, "odd and smaller than a tile"],
  [5, 9, 2, "k smaller than a quad"],
  [9, 260, 33, "one more than a tile each way"],
  [70, 3, 130, "narrow and tall"],
  [64, 256, 64, "one exact workgroup"],
  [37, 517, 902, "large and wide, for tiles that are worth it only there"],
];

// Pipelines take long to compile, so f16 takes some of the sizes.
const cases = [
  ...sizes.map((size) => ["f32" as const, ...size] as const),
  ...sizes.slice(1, 3).map((size) => ["f16" as const, ...size] as const),
];

/**
 * All tilings of that name; of those for GPUs, as a GPU with the least limits would take them, the first and
 * the last: they take seconds to compile elsewhere.
 */
function variantsNamed(
  name: string,
  gpu: LogicalGpu,
  shape: MatmulShape,
  dtype: StorageType,
): Kernel<MatmulShape>[] {
  const forGpu = name === forGpus || name === "matmul_skinny";
  const { features } = gpu.report;
  const adapter = forGpu ? { features, limits: {} } : gpu.report;
  const variants = variantKernels(matmul, shape, adapter, dtype).filter(
    (variant) => variant.name === name,
  );
  return forGpu ? [...variants.slice(0, 1), ...variants.slice(-1)] : variants;
}

async function errorsOf(
  gpu: LogicalGpu,
  variant: Kernel<MatmulShape>,
  shape: MatmulShape,
  dtype: StorageType,
): Promise<string[]> {
  const { inputs, outputs, expected } = productCase(shape, dtype);
  const results = await runKernel(gpu, variant, shape, dtype, inputs, outputs);
  const actual = resultOf(output(results, "y"), shape, dtype);
  return outOfTolerance(actual, expected, resultType(shape, dtype), shape.arithmetic);
}

const finishes: readonly (readonly [what: string, finish: Partial<MatmulShape>])[] = [
  ["a bias and GELU", { activation: "gelu", bias: true }],
  ["SiLU and a gate", { activation: "silu", gate: true }],
  ["a clamped gate", { activation: "clamped-silu", bias: true, gate: true }],
  ["a share of each row, and a residual", { rowGate: true, residual: true }],
  ["a soft cap", { activation: "softcap", cap: testCap, scale: 3 }],
  ["a scale, a bias and a residual", { scale: 0.25, bias: true, residual: true }],
];

const allFinishes: (typeof finishes)[number] = [
  "all finishes, three products side by side",
  { activation: "relu", scale: -2, bias: true, gate: true, residual: true, batch: 3 },
];

const layouts: readonly (readonly [what: string, size: Partial<MatmulShape>])[] = [
  ["x · wᵀ", { transposed: "w" }],
  ["xᵀ · w", { transposed: "x" }],
  ["x · wᵀ, a row", { transposed: "w", m: 1 }],
  ["three of xᵀ · w side by side", { transposed: "x", batch: 3, n: 9 }],
  ["three of x · wᵀ side by side", { transposed: "w", batch: 3, n: 9 }],
  [
    "three, columns of wider rows, as is what finishes them",
    { batch: 3, n: 20, pitch: 32, bias: true, gate: true, rowGate: true, residual: true },
  ],
];

/** Undefined where the adapter does not run it. */
async function errorsWith(name: string, rest: Partial<MatmulShape>): Promise<string[] | undefined> {
  const gpu = await testGpu();
  const m = name === "matmul_panel" ? 1 : 6;
  const shape = { m, n: 18, k: 13, activation: "none", ...rest } as const;
  const [variant] = variantsNamed(name, gpu, shape, "f32");
  return variant && (await errorsOf(gpu, variant, shape, "f32"));
}

function testVariant(name: string): void {
  const own = name === forGpus ? cases.filter(([, m]) => m === 3 || m === 37) : cases;
  test.for(own)("%s [%i, %i] over k = %i: %s", async ([dtype, m, n, k], { skip }) => {
    const gpu = await testGpu();
    const shape = { m, n, k, activation: "none" } as const;
    const variants = variantsNamed(name, gpu, shape, dtype);
    if (variants.length === 0) return skip("the adapter does not run it");
    for (const variant of variants) expect(await errorsOf(gpu, variant, shape, dtype)).toEqual([]);
  });

  test("with sums in f16 where the adapter can, and that is asked for", async ({ skip }) => {
    const gpu = await testGpu();
    const shape = { m: 19, n: 37, k: 130, activation: "none", arithmetic: "f16" } as const;
    const [variant] = variantsNamed(name, gpu, shape, "f16");
    if (variant === undefined) return skip("the adapter does not run it");
    expect(await errorsOf(gpu, variant, shape, "f16")).toEqual([]);
  });

  test.for(["f32", "f16"] as const)("a gradient of weights from %s", async (dtype, { skip }) => {
    const gpu = await testGpu();
    for (const result of ["f32", "f32-sum"] as const) {
      const layout = { activation: "none", transposed: "x", result } as const;
      const shape = { m: 6, n: 18, k: 13, ...layout };
      const [variant] = variantsNamed(name, gpu, shape, dtype);
      if (variant === undefined) return skip("the adapter does not run it");
      expect(await errorsOf(gpu, variant, shape, dtype)).toEqual([]);
    }
  });

  test.for([allFinishes, ...layouts])("%s", async ([, rest], { skip }) => {
    const errors = await errorsWith(name, rest);
    if (errors === undefined) return skip("the adapter does not run it");
    expect(errors).toEqual([]);
  });

  describeOnOneAdapter("each finish by itself,", () => {
    test.for(finishes)("%s", async ([, rest], { skip }) => {
      const errors = await errorsWith(name, rest);
      if (errors === undefined) return skip("the adapter does not run it");
      expect(errors).toEqual([]);
    });
  });
}

describeOnOneAdapter("matmul in tiles for GPUs", () => testVariant(forGpus));

describeOnAdapter("matmul", () => {
  describe.each(variantNames(matmul).filter((name) => name !== forGpus))("as %s", (name) => {
    testVariant(name);
  });

  test.for(["none", "softcap", ...activations] satisfies Activation[])(
    "applies %s, at arguments up to ±200 and with zeros in the padding",
    async (activation) => {
      const gpu = await testGpu();
      const [m, n, k] = [9, 7, 3];
      const cap = activation === "softcap" ? { cap: testCap } : {};
      const shape = { m, n, k, activation, ...cap };
      const random = randomSource(1);
      const x = randomTensor(m, k, "f32", random);
      // Columns of very different size: f32 exponentials of the largest overflow.
      const w = tensor(
        k,
        n,
        randomTensor(k, n, "f32", random).values.map((v, i) => Math.fround(v * 4 ** ((i % n) - 2))),
      );
      const results = await runKernel(
        gpu,
        matmul,
        shape,
        "f32",
        { x: encode(x, "f32"), w: encode(w, "f32") },
        { y: tensorBytes(m, n, "f32") },
      );
      const actual = decode(output(results, "y"), m, n, "f32").values;
      expect(outOfTolerance(actual, activated(product(x, w), activation), "f32")).toEqual([]);
      const bounds: Partial<Record<Activation, number>> = {
        softcap: testCap,
        "clamped-silu": 7,
      };
      expect(Math.max(...actual)).toBeGreaterThan(0.99 * (bounds[activation] ?? 101));
    },
  );
});
