import { expect, test } from "vitest";
import { attention } from "../../src/kernels/attention.ts";
import { formOf } from "../../src/kernels/form.ts";
import { groupedMatmul } from "../../src/kernels/grouped_matmul.ts";
import type { AdapterTraits, Kernel } from "../../src/kernels/kernel.ts";
import { matmul, type MatmulShape } from "../../src/kernels/matmul.ts";
import { formKernels, withSubgroups } from "../support/forms.ts";

const chosen = <Shape>(kernel: Kernel<Shape>, shape: Shape, adapter: AdapterTraits): string =>
  formOf(kernel, shape, adapter, "f32").name;

const shape = (m: number, n: number): MatmulShape => ({ m, n, k: 64, activation: "none" });

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
  const forms = formKernels(matmul, shape(64, 64), withSubgroups(2), "f32");
  expect(forms.map(({ name }) => name)).not.toContain("matmul_subgroup");
});

test.each([
  [1, 8, "matmul_skinny"],
  [4, 4, "matmul_skinny"],
  [5, 4, "matmul_subgroup"],
  [4, 32, "matmul_skinny"],
  [5, 32, "matmul"],
  [9, 32, "matmul_shared"],
])("%i rows with subgroups of %i are for %s", (m, size, name) => {
  expect(chosen(matmul, shape(m, 64), withSubgroups(size))).toBe(name);
});

test.each([
  [12, 4, "matmul"],
  [13, 4, "matmul_subgroup"],
  [1, 8, "matmul_subgroup"],
])("rows of %i columns with subgroups of %i are for %s", (n, size, name) => {
  expect(chosen(matmul, shape(64, n), withSubgroups(size))).toBe(name);
});

test("grouped_matmul goes by the rows of a balanced expert", () => {
  const experts = (expectedRows: number) =>
    ({ experts: 4, rows: 64, expectedRows, n: 64, k: 64, activation: "none" }) as const;
  expect(chosen(groupedMatmul, experts(16), withSubgroups(4))).toBe("matmul_skinny");
  expect(chosen(groupedMatmul, experts(17), withSubgroups(4))).toBe("matmul_subgroup");
});

test("a tile that needs more workgroup memory than an adapter has is not offered", () => {
  const depths = (maxComputeWorkgroupStorageSize: number): unknown[] =>
    formKernels(
      matmul,
      shape(4096, 4096),
      { features: [], limits: { maxComputeWorkgroupStorageSize } },
      "f32",
    )
      .filter(({ name }) => name === "matmul_shared")
      .map((form) => form.constants(shape(4096, 4096))["DEPTH"]);
  expect(depths(16_384)).toEqual([2, 2, 4, 2]);
  expect(depths(32_768)).toEqual([4, 2, 2, 4, 2]);
});

test.each([
  [2, "attention"],
  [4, "attention_subgroup"],
  [8, "attention_subgroup"],
  [16, "attention"],
])("attention with subgroups of %i is for %s", (size, name) => {
  const tokens = { batch: 1, sequence: 64, heads: 2, kvHeads: 1, headDim: 64, causal: true };
  expect(chosen(attention, tokens, withSubgroups(size))).toBe(name);
});
