// No adapter of a test machine need have subgroup matrices: Dawn's null backend compiles them, and what they
// leave behind is made up.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { SubgroupMatrix } from "../../src/kernels/kernel.ts";
import { countSubgroups, matrixLayout, matrixSource } from "../../src/gpu/calibration/matrices.ts";
import { describeAdapter } from "../../src/gpu/describe_adapter.ts";
import { compileModule } from "../../src/gpu/dispatch.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";

const choice = { id: "null", name: "null", software: true, loader: "system", ordinal: 0 } as const;
let gpu: LogicalGpu;
beforeAll(async () => {
  gpu = await openGpu(choice, { backend: "null" });
});
afterAll(() => gpu.close());

// As Apple's, Intel's and NVIDIA's drivers list them.
const matrices: SubgroupMatrix[] = [
  { component: "f32", result: "f32", m: 8, n: 8, k: 8 },
  { component: "f16", result: "f16", m: 8, n: 16, k: 16 },
  { component: "f16", result: "f32", m: 16, n: 16, k: 16 },
];

test.each(matrices)("$component → $result, $m × $n × $k makes a pipeline", async (matrix) => {
  const { lanes, slots } = matrixLayout(gpu.report);
  const module = await compileModule(gpu.device, await matrixSource(matrix, lanes));
  const constants = { ITERATIONS: 1024, SLOTS: slots };
  const compute = { module, constants };
  const pipeline = gpu.device.createComputePipelineAsync({ layout: "auto", compute });
  await expect(pipeline).resolves.toBeDefined();
});

test.each([
  ["fixed", { min: 32, max: 32 }, { lanes: 128, slots: 4 }],
  ["of several sizes", { min: 8, max: 32 }, { lanes: 128, slots: 16 }],
  ["as large as a workgroup", { min: 4, max: 1024 }, { lanes: 1024, slots: 256 }],
])("a workgroup is a multiple of the largest subgroup: %s", (_, subgroupSize, layout) => {
  const limits = { maxComputeInvocationsPerWorkgroup: 1024 };
  expect(matrixLayout({ ...gpu.report, subgroupSize, limits })).toEqual(layout);
});

/** [2 workgroups, 4 slots, 4 chains, 2 elements], as so many subgroups leave it. */
function left(subgroups: number): Float32Array {
  return Float32Array.from({ length: 64 }, (_, index) => {
    const slot = Math.floor(index / 8) % 4;
    return slot < subgroups ? 1025 + (Math.floor(index / 2) % 4) : 0;
  });
}

test.each([1, 2, 4])("%i subgroups are counted by what they leave", (subgroups) => {
  expect(countSubgroups(left(subgroups), 2, 4, 8)).toBe(subgroups);
});

test.each([
  ["nothing was computed", 0, 0, "computes nothing"],
  ["a step is missing", 5, 1026, "gives 1026 where 1027 is right"],
  ["a workgroup has a subgroup more", 48, 1025, "gives 1025 where 0 is right"],
])("%s: it is refused", (_, index, value, message) => {
  const values = left(index === 0 ? 0 : 2);
  values[index] = value;
  expect(() => countSubgroups(values, 2, 4, 8)).toThrow(message);
});

test("an adapter lists its matrices of floating-point numbers, and nothing that it cannot be", () => {
  const config = { M: 16, N: 8, K: 4, componentType: "f16", resultComponentType: "f32" };
  const configs = [config, { ...config, componentType: "i8" }, { ...config, K: 0 }, "odd"];
  const adapter = {
    features: new Set(["chromium-experimental-subgroup-matrix"]),
    limits: {},
    info: {
      vendor: "",
      architecture: "",
      device: "",
      description: "",
      subgroupMatrixConfigs: configs,
    },
  };
  const { subgroupMatrices } = describeAdapter(choice, adapter as unknown as GPUAdapter);
  expect(subgroupMatrices).toEqual([{ component: "f16", result: "f32", m: 16, n: 8, k: 4 }]);
});
