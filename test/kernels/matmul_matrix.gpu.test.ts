// SwiftShader checks all of matmul_matrix but the operations on matrices, which it lacks. Other drivers compile what
// stands in for them for minutes.

import { expect, test } from "vitest";
import type { Tiling } from "../../src/kernels/kernel.ts";
import { matmul, type MatmulShape } from "../../src/kernels/matmul.ts";
import { withEmulatedMatrices } from "../support/emulated_matrices.ts";
import { fixedTo, withMatrices } from "../support/kernel_variants.ts";
import { adapterUnderTest, describeOnAdapter, testGpu } from "../support/gpu.ts";
import { productCase } from "../support/product_case.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { decode } from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const adapter = {
  ...withMatrices([{ component: "f32", result: "f32", m: 8, n: 8, k: 8 }]),
  limits: { maxComputeWorkgroupStorageSize: 32_768 },
};
const name = "matmul_matrix";

function tilingsOf(shape: MatmulShape): readonly Tiling[] {
  return (
    matmul.alternatives
      ?.find((alternative) => alternative.name === name)
      ?.tilings(shape, adapter, "f32") ?? []
  );
}

interface Split {
  /** Which of the tilings, the largest first. */
  readonly tiling: number;
  readonly subgroups: number;
  readonly matrix: string;
}

/** Elements of y that are wrong, left out or stored twice. */
async function errorsOf(
  shape: MatmulShape,
  { tiling: index, subgroups, matrix }: Split,
): Promise<string[]> {
  const tiling = tilingsOf(shape)
    .toSorted((a, b) => blocksOf(b) - blocksOf(a))
    .at(index);
  if (tiling === undefined) throw new Error("no such tiling");
  const kernel = fixedTo(matmul, {
    ...tiling,
    name,
    constants: { ...tiling.constants, LANES: subgroups },
    prelude: `matrices/${matrix}`,
  });
  const gpu = withEmulatedMatrices(await testGpu());
  const { inputs, outputs, expected } = productCase(shape, "f32");
  const results = await runKernel(gpu, kernel, shape, "f32", inputs, outputs);
  const y = decode(output(results, "y"), shape.m * (shape.batch ?? 1), shape.n, "f32");
  return outOfTolerance(y.values, expected, "f32");
}

function blocksOf({ constants }: Tiling): number {
  return (constants["BLOCK_ROWS"] ?? 0) * (constants["BLOCK_COLUMNS"] ?? 0);
}

type Case = [string, Partial<MatmulShape>, Split];

describeOnAdapter("matmul_matrix", () => {
  test.runIf(adapterUnderTest() === "swiftshader").each([
    ["odd sizes", { m: 33, n: 70, k: 35 }, { tiling: 2, subgroups: 1, matrix: "f16_8x8x8" }],
    [
      "a bias and GELU, four blocks in turns of three subgroups",
      { m: 70, n: 70, k: 20, activation: "gelu", bias: true },
      { tiling: 1, subgroups: 3, matrix: "f16_16x8x16" },
    ],
    [
      "three side by side with all that finishes them, one subgroup to many",
      { batch: 3, activation: "relu", scale: -2, bias: true, gate: true, residual: true },
      { tiling: 2, subgroups: 5, matrix: "f16_16x16x16" },
    ],
    ["x · wᵀ", { transposed: "w", k: 50 }, { tiling: 0, subgroups: 4, matrix: "f16_8x16x16" }],
    [
      "three of xᵀ · w side by side",
      { transposed: "x", batch: 3, n: 9 },
      { tiling: 3, subgroups: 2, matrix: "f32_8x8x8" },
    ],
  ] as Case[])("%s: every element is right and stored once", async (_, rest, split) => {
    const shape: MatmulShape = { m: 38, n: 18, k: 21, activation: "none", ...rest };
    expect(await errorsOf(shape, split)).toEqual([]);
  });
});
