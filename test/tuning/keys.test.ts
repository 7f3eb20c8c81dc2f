import { expect, test } from "vitest";
import { variantOf, variantsOf } from "../../src/kernels/variant.ts";
import { kernelOf } from "../../src/kernels/catalog.ts";
import type { Kernel, AlternativeShader } from "../../src/kernels/kernel.ts";
import { callKey, classKey, namedVariants } from "../../src/tuning/keys.ts";
import { withSubgroups } from "../support/kernel_variants.ts";
import { sampleCalls } from "../support/sample_calls.ts";

const shape = { m: 100, n: 1024, k: 512, activation: "none" };

test("a call is told by its kernel, its type and every part of its shape, whatever their order", () => {
  const key = "matmul f32 activation=none k=512 m=100 n=1024";
  expect(callKey("matmul", shape, "f32")).toBe(key);
  expect(callKey("matmul", { activation: "none", k: 512, n: 1024, m: 100 }, "f32")).toBe(key);
  expect(callKey("matmul", shape, "f16")).not.toBe(key);
  expect(callKey("matmul", { ...shape, m: 101 }, "f32")).not.toBe(key);
  expect(callKey("matmul", { ...shape, activation: "relu" }, "f32")).not.toBe(key);
});

test.each([
  [65, 128],
  [100, 128],
  [128, 128],
  [1, 1],
  [2, 2],
  [3, 4],
  [0, 0],
])("a size of %i is of the class of %i", (m, like) => {
  expect(classKey("matmul", { ...shape, m }, "f32")).toBe(
    classKey("matmul", { ...shape, m: like }, "f32"),
  );
});

test.each([
  ["64 rows and 65", { m: 64 }, { m: 65 }],
  ["128 rows and 129", { m: 128 }, { m: 129 }],
  ["activations", { activation: "none" }, { activation: "gelu" }],
  ["causal and not", { causal: true }, { causal: false }],
])("%s are of different classes", (_, a, b) => {
  expect(classKey("matmul", { ...shape, ...a }, "f32")).not.toBe(
    classKey("matmul", { ...shape, ...b }, "f32"),
  );
});

test("a factor that is no size is kept as it is", () => {
  expect(classKey("aggregate", { rows: 5, scale: 1 / 3 }, "f32")).toBe(
    `aggregate f32 rows=8 scale=${1 / 3}`,
  );
});

test.each(sampleCalls)(
  "$kernel: variants have names of their own, the kernel's own first",
  (call) => {
    const kernel = kernelOf(call);
    const adapter = withSubgroups(8);
    const { variants, expected } = namedVariants(kernel, call.shape, adapter, "f32");
    expect(variants.map(({ variant }) => variant)).toEqual(
      variantsOf(kernel, call.shape, adapter, "f32"),
    );
    expect(new Set(variants.map(({ key }) => key)).size).toBe(variants.length);
    expect(variants[0].key).toBe(kernel.shader ?? kernel.name);
    expect(expected.variant).toEqual(variantOf(kernel, call.shape, adapter, "f32"));
  },
);

const tiled: AlternativeShader<{ readonly rows: number }> = {
  name: "tiled",
  runsOn: () => true,
  isPreferred: () => true,
  tilings: ({ rows }) => [
    { constants: { ROWS: rows, TILE: 8 }, grid: [rows, 1, 1] },
    { constants: { ROWS: rows, TILE: 8 }, grid: [16, 1, 1] },
  ],
};
const plain: Kernel<{ readonly rows: number }> = {
  name: "plain",
  bindings: [],
  constants: ({ rows }) => ({ ROWS: rows }),
  grid: () => [1, 1, 1],
  flops: () => 0,
  bytes: () => 0,
  alternatives: [tiled],
};

test("a variant's name leaves out what follows from the shape, and tells grids apart where it must", () => {
  const { variants, expected } = namedVariants(plain, { rows: 40 }, withSubgroups(8), "f32");
  expect(variants.map(({ key }) => key)).toEqual([
    "plain",
    "tiled TILE=8",
    "tiled TILE=8 grid=16×1×1",
  ]);
  expect(expected.key).toBe("tiled TILE=8");
});
