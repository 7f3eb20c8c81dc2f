import { expect, test } from "vitest";
import { attendCache, type CachedAttentionShape } from "../../src/kernels/attend_cache.ts";
import { attention } from "../../src/kernels/attention.ts";
import { variantOf, variantsOf } from "../../src/kernels/variant.ts";
import { groupedMatmul } from "../../src/kernels/grouped_matmul.ts";
import type { AdapterTraits, Kernel } from "../../src/kernels/kernel.ts";
import { matmul, type MatmulShape } from "../../src/kernels/matmul.ts";
import { variantKernels, withMatrices, withSubgroups } from "../support/kernel_variants.ts";

function chosen<Shape>(kernel: Kernel<Shape>, given: Shape, adapter: AdapterTraits): string {
  return variantOf(kernel, given, adapter, "f32").name;
}

function shape(m: number, n: number): MatmulShape {
  return { m, n, k: 64, activation: "none" };
}

test.each([
  ["no subgroups", { features: [], limits: {} }, "matmul_shared"],
  ["SwiftShader's subgroups of 4", withSubgroups(4), "matmul_subgroup"],
  ["lavapipe's subgroups of 8", withSubgroups(8), "matmul_subgroup"],
  ["subgroups of 4 or 8 as the driver likes", withSubgroups(4, 8), "matmul_shared"],
  ["a GPU's subgroups of 32", withSubgroups(32), "matmul_shared"],
] as [string, AdapterTraits, string][])("with %s, 64 rows of 64 are for %s", (_, adapter, name) => {
  expect(chosen(matmul, shape(64, 64), adapter)).toBe(name);
});

test("subgroups of 2 lanes, fewer than a broadcast reads, are never used", () => {
  const variants = variantKernels(matmul, shape(64, 64), withSubgroups(2), "f32");
  expect(variants.map(({ name }) => name)).not.toContain("matmul_subgroup");
});

test.each([
  [1, 4, "matmul_subgroup"],
  [1, 8, "matmul_subgroup"],
  [1, 32, "matmul_skinny"],
  [2, 4, "matmul_subgroup"],
  [5, 4, "matmul_subgroup"],
  [4, 32, "matmul_skinny"],
  [5, 32, "matmul"],
  [9, 32, "matmul_shared"],
])("%i rows with subgroups of %i are for %s", (m, size, name) => {
  expect(chosen(matmul, shape(m, 64), withSubgroups(size))).toBe(name);
});

test.each([
  [508, 4, "matmul_subgroup"],
  [509, 4, "matmul_panel"],
  [1020, 8, "matmul_subgroup"],
  [1021, 8, "matmul_panel"],
  [4096, 32, "matmul_skinny"],
])("one row of %i columns with subgroups of %i is for %s", (n, size, name) => {
  expect(chosen(matmul, shape(1, n), withSubgroups(size))).toBe(name);
});

test.each([
  [12, 4, "matmul"],
  [13, 4, "matmul_subgroup"],
  [1, 8, "matmul_subgroup"],
])("rows of %i columns with subgroups of %i are for %s", (n, size, name) => {
  expect(chosen(matmul, shape(64, n), withSubgroups(size))).toBe(name);
});

test.each([
  ["f32", [], 16],
  ["f16", [], 8],
  ["f16", ["shader-f16"], 16],
] as const)("with small subgroups, tiles of %s with %j have %i rows", (dtype, more, rows) => {
  const subgroups = withSubgroups(4);
  const adapter = { ...subgroups, features: [...subgroups.features, ...more] };
  const large = { m: 256, n: 256, k: 512, activation: "none" } as const;
  expect(variantOf(matmul, large, adapter, dtype).constants).toMatchObject({ TILE_ROWS: rows });
});

test("grouped_matmul goes by the rows of a balanced expert", () => {
  const experts = (expectedRows: number) =>
    ({ experts: 4, rows: 64, expectedRows, n: 1024, k: 64, activation: "none" }) as const;
  expect(chosen(groupedMatmul, experts(4), withSubgroups(4))).toBe("matmul_panel");
  expect(chosen(groupedMatmul, experts(5), withSubgroups(4))).toBe("matmul_subgroup");
  expect(chosen(groupedMatmul, experts(16), withSubgroups(32))).toBe("matmul_skinny");
  expect(chosen(groupedMatmul, experts(17), withSubgroups(32))).toBe("matmul");
});

test("a tile that needs more workgroup memory than an adapter has is not offered", () => {
  const depths = (maxComputeWorkgroupStorageSize: number): unknown[] =>
    variantKernels(
      matmul,
      shape(4096, 4096),
      { features: [], limits: { maxComputeWorkgroupStorageSize } },
      "f32",
    )
      .filter(({ name }) => name === "matmul_shared")
      .map((variant) => variant.constants(shape(4096, 4096))["DEPTH"]);
  expect(depths(16_384)).toEqual([2, 2, 4, 2]);
  expect(depths(32_768)).toEqual([4, 2, 2, 4, 2]);
});

test.each([
  [2, "attention"],
  [4, "attention_subgroup"],
  [8, "attention_subgroup"],
  [16, "attention_shared"],
])("attention with subgroups of %i is for %s", (size, name) => {
  const tokens = { batch: 1, sequence: 64, heads: 2, kvHeads: 1, headDim: 64, causal: true };
  expect(chosen(attention, tokens, withSubgroups(size))).toBe(name);
});

test.each([
  [2, "attend_cache"],
  [4, "attend_cache_subgroup"],
  [8, "attend_cache_subgroup"],
  [32, "attend_cache"],
])("attention against a cache with subgroups of %i is for %s", (size, name) => {
  const tokens = { batch: 1, queries: 1, pageTokens: 64, pages: 1, expectedKeys: 64 } as const;
  const heads = { heads: 2, kvHeads: 1, headDim: 64, valueDim: 64, queryColumns: 256 } as const;
  const given: CachedAttentionShape = { ...tokens, ...heads, cacheDtype: "f32" };
  expect(chosen(attendCache, given, withSubgroups(size))).toBe(name);
});

const matrix = { component: "f16", result: "f32", m: 16, n: 16, k: 16 } as const;
const single = { component: "f32", result: "f32", m: 8, n: 8, k: 8 } as const;

test.each([
  ["f16 on matrices of f16", "f16", [matrix], "matrices/f16_16x16x16"],
  [
    "f16 on matrices of f16, which hold more than those of f32",
    "f16",
    [single, matrix],
    "matrices/f16_16x16x16",
  ],
  ["f32 on matrices of f32", "f32", [matrix, single], "matrices/f32_8x8x8"],
  ["f16 on matrices of f32", "f16", [single], "matrices/f32_8x8x8"],
  ["f32 where there are only matrices of f16", "f32", [matrix], undefined],
  ["f16 where sums would be f16", "f16", [{ ...matrix, result: "f16" }], undefined],
  ["f16 on matrices of a size that nobody wrote", "f16", [{ ...matrix, k: 32 }], undefined],
  ["f16 without matrices", "f16", undefined, undefined],
] as const)("products of %s", (_, dtype, matrices, prelude) => {
  const variants = variantsOf(matmul, shape(64, 64), withMatrices(matrices), dtype);
  expect(variants.find(({ name }) => name === "matmul_matrix")?.prelude).toBe(prelude);
});

test.each([
  ["less than half a block of rows", { m: 15 }, {}],
  ["less than half a block of columns", { n: 15 }, {}],
  ["hardly any k", { k: 7 }, {}],
  ["workgroups that are smaller than two subgroups", {}, { maxComputeInvocationsPerWorkgroup: 63 }],
])("matrices are not for %s", (_, size, limits) => {
  const large = { m: 16, n: 16, k: 8, activation: "none" } as const;
  const names = (one: MatmulShape, own: Record<string, number>): string[] =>
    variantsOf(matmul, one, { ...withMatrices([matrix]), limits: own }, "f16").map(
      ({ name }) => name,
    );
  expect(names(large, {})).toContain("matmul_matrix");
  expect(names({ ...large, ...size }, limits)).not.toContain("matmul_matrix");
});

test("drivers refuse matrices that they list, so only tuning takes them", () => {
  expect(variantOf(matmul, shape(64, 64), withMatrices([matrix]), "f16").name).toBe(
    "matmul_shared",
  );
});

test.each([
  ["a few tokens", 16, 64, {}, "attention"],
  ["one more", 17, 64, {}, "attention_shared"],
  ["the widest head, least limits", 64, 256, {}, "attention"],
  [
    "the widest head, room for it",
    64,
    256,
    { maxComputeWorkgroupStorageSize: 32_768 },
    "attention_shared",
  ],
] as const)(
  "attention on a GPU, %s: %i tokens, heads of %i",
  (_what, sequence, headDim, limits, name) => {
    const tokens = { batch: 1, sequence, heads: 2, kvHeads: 1, headDim, causal: true };
    expect(chosen(attention, tokens, { features: [], limits })).toBe(name);
  },
);

test("attention_shared takes small tiles where large ones would leave a GPU idle", () => {
  const limits = { maxComputeWorkgroupStorageSize: 32_768 };
  const tokens = { batch: 1, heads: 8, kvHeads: 8, headDim: 64, causal: true };
  const edges = (sequence: number) =>
    variantOf(attention, { ...tokens, sequence }, { features: [], limits }, "f32").constants;
  expect(edges(512)).toMatchObject({ EDGE: 8, BLOCKS: 2 });
  expect(edges(448)).toMatchObject({ EDGE: 8, BLOCKS: 1 });
});
