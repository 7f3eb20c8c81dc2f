// Dawn's null backend validates and compiles, with every feature and without an adapter; it also knows
// shader-f16, which not every machine that runs these tests has.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";
import { kernelOf } from "../../src/kernels/catalog.ts";
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

test.each(
  sampleCalls.flatMap((call) => [
    [call.kernel, "f32", call] as const,
    [call.kernel, "f16", call] as const,
  ]),
)("%s compiles in %s", async (_name, dtype, call) => {
  const kernel = kernelOf(call);
  const buffers = await Promise.all(
    kernel.bindings.map(({ name }) => gpu.createBuffer(name, 4096, GPUBufferUsage.STORAGE)),
  );
  const prepared = await gpu.prepare(kernel, call.shape, dtype, buffers, "compiled");
  expect(prepared.label).toBe("compiled");
});
