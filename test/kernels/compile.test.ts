// Dawn's null backend validates and compiles, with every feature and without an adapter; it also knows
// shader-f16, which not every machine that runs these tests has.

import { afterAll, beforeAll, expect, test } from "vitest";
import { createPrepare } from "../../src/gpu/dispatch.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";
import { attention } from "../../src/kernels/attention.ts";
import { kernelOf } from "../../src/kernels/catalog.ts";
import { groupedMatmul } from "../../src/kernels/grouped_matmul.ts";
import { groupedWeightGradient } from "../../src/kernels/grouped_weight_gradient.ts";
import {
  type AdapterTraits,
  type Binding,
  bindingsOf,
  type Kernel,
} from "../../src/kernels/kernel.ts";
import { matmul } from "../../src/kernels/matmul.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { variantKernels, withSubgroups } from "../support/kernel_variants.ts";
import { sampleCalls } from "../support/sample_calls.ts";

let gpu: LogicalGpu;

beforeAll(async () => {
  gpu = await openGpu(
    { id: "null", name: "null", software: true, loader: "system", ordinal: 0 },
    { backend: "null" },
  );
});

afterAll(() => {
  gpu.close();
});

test("the null backend has shader-f16, so that f16 compiles in its native form", () => {
  expect(gpu.device.features.has("shader-f16")).toBe(true);
});

/** The label of the compiled kernel. */
async function compile<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  dtype: StorageType,
  adapter: AdapterTraits,
): Promise<string> {
  const buffers = await Promise.all(
    bindingsOf(kernel, shape).map(({ name }) =>
      gpu.createBuffer(name, 4096, GPUBufferUsage.STORAGE),
    ),
  );
  const prepare = createPrepare(gpu.device, adapter);
  return (await prepare(kernel, shape, dtype, buffers, "compiled")).label;
}

const dtypes = ["f32", "f16"] as const;
const withoutSubgroups: AdapterTraits = { features: [], limits: {} };

test.each(
  sampleCalls.flatMap((call) => dtypes.map((dtype) => [call.kernel, dtype, call] as const)),
)("%s compiles in %s", async (_name, dtype, call) => {
  expect(await compile(kernelOf(call), call.shape, dtype, withoutSubgroups)).toMatch(/^compiled/);
});

test.each(
  sampleCalls.flatMap((call) => dtypes.map((dtype) => [call.kernel, dtype, call] as const)),
)("%s compiles in %s as CPUs run it", async (_name, dtype, call) => {
  const cpu = withSubgroups(8);
  const [own] = variantKernels(kernelOf(call), call.shape, cpu, dtype);
  if (own === undefined) throw new Error("a kernel has a variant of its own");
  expect(await compile(own, call.shape, dtype, cpu)).toBe("compiled");
});

const shapes: [m: number, n: number, k: number][] = [
  [1, 5, 7],
  [8, 40, 7],
  [512, 512, 512],
];
const variantCalls = [4, 8, 32].flatMap((size) =>
  shapes.flatMap(([m, n, k]) => dtypes.map((dtype) => ({ size, m, n, k, dtype }))),
);

test.each(variantCalls)(
  "variants of matmul for subgroups of $size compile in $dtype at [$m, $n] over k = $k",
  async ({ size, m, n, k, dtype }) => {
    const adapter = withSubgroups(size);
    const shape = { m, n, k, activation: "gelu" } as const;
    const [, ...variants] = variantKernels(matmul, shape, adapter, dtype);
    expect(variants.length).toBeGreaterThan(0);
    for (const variant of variants) {
      await compile(variant, shape, dtype, adapter);
    }
  },
);

test.each([4, 8, 32])(
  "variants of matmul compile with sums in f16, subgroups of %i",
  async (size) => {
    const adapter = { ...withSubgroups(size), features: ["subgroups", "shader-f16"] };
    const shape = { m: 8, n: 40, k: 7, activation: "gelu", arithmetic: "f16" } as const;
    const [, ...variants] = variantKernels(matmul, shape, adapter, "f16");
    for (const variant of variants) {
      expect(variant.prelude?.()).toBe("arithmetic/f16");
      await compile(variant, shape, "f16", adapter);
    }
  },
);

test.each(variantCalls)(
  "variants of grouped_matmul for subgroups of $size compile in $dtype at [$m, $n] over k = $k",
  async ({ size, m, n, k, dtype }) => {
    const adapter = withSubgroups(size);
    const shape = {
      experts: 3,
      rows: 3 * m,
      expectedRows: 3 * m,
      n,
      k,
      activation: "gelu",
    } as const;
    const [, ...variants] = variantKernels(groupedMatmul, shape, adapter, dtype);
    expect(variants.length).toBeGreaterThan(0);
    for (const variant of variants) await compile(variant, shape, dtype, adapter);
  },
);

test.each([
  ["f16", { component: "f16", result: "f32", m: 16, n: 16, k: 16 }],
  ["f16", { component: "f16", result: "f32", m: 16, n: 8, k: 16 }],
  ["f16", { component: "f16", result: "f32", m: 8, n: 16, k: 16 }],
  ["f16", { component: "f16", result: "f32", m: 8, n: 8, k: 8 }],
  ["f16", { component: "f32", result: "f32", m: 8, n: 8, k: 8 }],
  ["f32", { component: "f32", result: "f32", m: 8, n: 8, k: 8 }],
] as const)("products of %s compile on matrices as %o", async (dtype, matrix) => {
  const adapter = { ...gpu.report, subgroupMatrices: [matrix] };
  const rest = { n: 70, k: 35, activation: "gelu", bias: true } as const;
  const layouts = [
    { m: 33, ...rest },
    ...(["x", "w"] as const).map((transposed) => ({ m: 512, ...rest, transposed })),
  ];
  const compiled: string[] = [];
  for (const shape of layouts) {
    for (const variant of variantKernels(matmul, shape, adapter, dtype)) {
      if (variant.name === "matmul_matrix")
        compiled.push(await compile(variant, shape, dtype, adapter));
    }
  }
  const experts = { experts: 3, rows: 99, expectedRows: 99, ...rest } as const;
  for (const variant of variantKernels(groupedMatmul, experts, adapter, dtype)) {
    if (variant.name === "matmul_matrix")
      compiled.push(await compile(variant, experts, dtype, adapter));
  }
  const { n, k: m } = rest;
  const gradient = { experts: 3, rows: 99, expectedRows: 99, m, n } as const;
  for (const variant of variantKernels(groupedWeightGradient, gradient, adapter, dtype)) {
    if (variant.name === "matmul_matrix")
      compiled.push(await compile(variant, gradient, dtype, adapter));
  }
  expect(compiled.length).toBeGreaterThanOrEqual(5);
});

test.each(
  [4, 8, 32].flatMap((size) =>
    // The widest head takes a GPU more workgroup memory than the null backend has.
    [4, 64, 80, size === 32 ? 128 : 256].flatMap((headDim) =>
      dtypes.map((dtype) => ({ size, headDim, dtype }) as const),
    ),
  ),
)(
  "variants of attention for subgroups of $size compile in $dtype with heads of $headDim",
  async ({ size, headDim, dtype }) => {
    const adapter = withSubgroups(size);
    const shape = { batch: 1, sequence: 512, heads: 4, kvHeads: 2, headDim, causal: true };
    const [, ...variants] = variantKernels(attention, shape, adapter, dtype);
    expect(variants.length).toBeGreaterThan(0);
    for (const variant of variants) await compile(variant, shape, dtype, adapter);
  },
);

test("the label of a prepared kernel says which variant it took", async () => {
  const shape = { m: 64, n: 64, k: 64, activation: "none" } as const;
  expect(await compile(matmul, shape, "f32", withSubgroups(8))).toBe("compiled by matmul_subgroup");
});

/** @param inOneBuffer which of the read bindings lie in the buffer that the kernel writes */
async function compileTogether<Shape>(
  kernel: Kernel<Shape>,
  shape: Shape,
  dtype: StorageType,
  adapter: AdapterTraits,
  inOneBuffer: (binding: Binding) => boolean,
): Promise<string> {
  const bindings = bindingsOf(kernel, shape);
  const bytes = 4096;
  const usage = GPUBufferUsage.STORAGE;
  const shared = await gpu.createBuffer("shared", bytes * bindings.length, usage);
  const own = await gpu.createBuffer("own", bytes, usage);
  const buffers = bindings.map((binding, i) =>
    binding.access === "read" && !inOneBuffer(binding)
      ? own
      : { buffer: shared, offset: bytes * i, size: bytes },
  );
  const prepare = createPrepare(gpu.device, adapter);
  return (await prepare(kernel, shape, dtype, buffers, "compiled")).label;
}

test.each(
  sampleCalls.flatMap((call) => dtypes.map((dtype) => [call.kernel, dtype, call] as const)),
)(
  "%s in %s reads from the buffer that it writes, but for what must be uniform",
  async (_, dtype, call) => {
    const isFree = ({ isUniform }: Binding): boolean => isUniform !== true;
    for (const adapter of [withoutSubgroups, withSubgroups(8)]) {
      for (const kernel of variantKernels(kernelOf(call), call.shape, adapter, dtype)) {
        expect(await compileTogether(kernel, call.shape, dtype, adapter, isFree)).toBe("compiled");
      }
    }
  },
);

test.each(
  sampleCalls.flatMap((call) =>
    bindingsOf(kernelOf(call), call.shape).flatMap(({ name, isUniform }) =>
      isUniform === true ? [[call.kernel, name, call] as const] : [],
    ),
  ),
)("%s must not read %s from there", async (_, uniform, call) => {
  const adapter = withSubgroups(8);
  const refused: unknown[] = [];
  for (const kernel of variantKernels(kernelOf(call), call.shape, adapter, "f32")) {
    const isShared = ({ name }: Binding): boolean => name === uniform;
    const compiled = compileTogether(kernel, call.shape, "f32", adapter, isShared);
    await compiled.catch((error: unknown) => refused.push(error));
  }
  expect(String(refused)).toContain("uniform control flow");
});

test("products on matrices read from the buffer that they write", async () => {
  const matrix = { component: "f16", result: "f32", m: 16, n: 16, k: 16 } as const;
  const adapter = { ...gpu.report, subgroupMatrices: [matrix] };
  const shape = { m: 33, n: 70, k: 35, activation: "gelu", bias: true } as const;
  const kernels = variantKernels(matmul, shape, adapter, "f16");
  expect(kernels.map(({ name }) => name)).toContain("matmul_matrix");
  for (const kernel of kernels) await compileTogether(kernel, shape, "f16", adapter, () => true);
});
